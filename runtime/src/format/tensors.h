// Tensors of a file: inside their segment, apart from one another, and finite.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>

#include "graph/graph.h"
#include "moefb/result.h"
#include "schema/moefb_generated.h"

namespace moefb::format {

/// Reads tensors one after the other and remembers where they lie.
class TensorReader {
 public:
  /// @param segments  proved by read_segments(); both must outlive the reader
  TensorReader(std::span<const std::byte> file, std::span<const graph::Segment> segments) noexcept
      : file_(file), segments_(segments) {}

  /// Proves dtype, shape, count, stride, place and finiteness of one tensor, which must lie in a segment of `kind` and
  /// share no byte with a tensor read before.
  /// @param tensor  out; its data points into the file
  Status read(const fb::Tensor& raw, fb::SegmentKind kind, graph::Tensor& tensor);

 private:
  Status place(const fb::Tensor& raw, fb::SegmentKind kind, graph::Tensor& tensor);
  Status claim(uint64_t begin, uint64_t end);

  std::span<const std::byte> file_;
  std::span<const graph::Segment> segments_;
  std::map<uint64_t, uint64_t> taken_;  // begin to end, in the file
};

}  // namespace moefb::format
