// The bulk data of a model: tensors one behind the other, each aligned, expert tensors stacked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "converter/convert.h"
#include "converter/state_dict.h"
#include "schema/moefb_generated.h"

namespace moefb::convert {

/// What a tensor is for. bf16 files round matrices and kernels only: biases, norms, gates and gamma stay f32.
enum class Role : uint8_t { kMatrix, kVector };

/// A run of bytes in which every array begins at a multiple of 64.
class AlignedBytes {
 public:
  /// Appends `bytes` after zeros up to the next multiple of 64. @return where they begin
  uint64_t append(std::span<const std::byte> bytes);
  /// Appends zeros up to the next multiple of 64.
  void align();

  std::span<const std::byte> bytes() const { return bytes_; }
  uint64_t size() const { return bytes_.size(); }

 private:
  std::vector<std::byte> bytes_;
};

/// Segment 0 of a file, and the tensor table that describes it.
class WeightSegment {
 public:
  /// @param source  the file that the values come from, for messages
  WeightSegment(std::string source, WeightDtype dtype) : source_(std::move(source)), dtype_(dtype) {}

  /// @return the tensor's index in the model. @throws std::runtime_error naming the tensor if a value is not finite
  int32_t add(const std::string& name, const Extents& shape, std::span<const float> values, Role role);
  /// One tensor per expert, all of `shape`.
  int32_t add_stacked(const std::string& name, const Extents& shape, std::span<const std::vector<float>> experts,
                      Role role);

  const std::string& source() const { return source_; }
  const fb::TensorT& tensor(int32_t index) const { return *tensors_.at(size_t(index)); }
  /// For the model, at the end.
  std::vector<std::unique_ptr<fb::TensorT>> take_tensors() { return std::move(tensors_); }
  AlignedBytes take_data() { return std::move(data_); }

 private:
  uint64_t append(const std::string& name, std::span<const float> values, fb::Dtype dtype);

  std::string source_;
  WeightDtype dtype_;
  AlignedBytes data_;
  std::vector<std::unique_ptr<fb::TensorT>> tensors_;
};

}  // namespace moefb::convert
