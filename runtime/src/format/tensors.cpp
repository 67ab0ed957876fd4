#include "format/tensors.h"

#include <iterator>

#include "format/fields.h"
#include "format/finite.h"
#include "graph/shapes.h"
#include "schema/container.h"

namespace moefb::format {
namespace {

uint64_t expert_bytes(const graph::Tensor& tensor) noexcept {
  return uint64_t(tensor.shape.elements()) * dtype_bytes(tensor.dtype);
}

/// How many experts are stacked, and how far apart.
Status read_stacking(const fb::Tensor& raw, graph::Tensor& tensor) noexcept {
  if (raw.count() < 1 || raw.count() > uint64_t(graph::kMaxExperts)) {
    return corrupt("a tensor's count is 0 or too large").values(int64_t(raw.count()), graph::kMaxExperts);
  }
  if (raw.stride() > uint64_t(INT64_MAX)) return corrupt("a tensor's stride is too large");
  tensor.count = int64_t(raw.count());
  tensor.stride = int64_t(raw.stride());
  if (tensor.count == 1) {
    return tensor.stride == 0 ? Status() : corrupt("a tensor of count 1 has a stride").values(tensor.stride, 0);
  }
  if (raw.stride() % container::kTensorAlignment != 0) {
    return corrupt("a tensor's stride is not a multiple of 64").values(tensor.stride, container::kTensorAlignment);
  }
  if (raw.stride() < expert_bytes(tensor)) {
    return corrupt("a tensor's stride is less than one expert's bytes")
        .values(tensor.stride, int64_t(expert_bytes(tensor)));
  }
  return {};
}

Status check_finite(const graph::Tensor& tensor) noexcept {
  for (int64_t e = 0; e < tensor.count; ++e) {
    const int64_t i = first_not_finite(tensor.expert(e), tensor.dtype, tensor.shape.elements());
    if (i >= 0)
      return corrupt("a tensor has an element that is not finite").values(e * tensor.shape.elements() + i, -1);
  }
  return {};
}

}  // namespace

Status TensorReader::place(const fb::Tensor& raw, fb::SegmentKind kind, graph::Tensor& tensor) {
  int index = 0;
  MOEFB_TRY(read_index(raw.segment(), segments_.size(), "a tensor's segment does not exist", index));
  const graph::Segment& segment = segments_[size_t(index)];
  if (segment.kind != static_cast<uint8_t>(kind)) {
    return corrupt("a tensor lies in a segment of another kind").values(segment.kind, static_cast<uint8_t>(kind));
  }
  if (raw.offset() % container::kTensorAlignment != 0) return corrupt("a tensor does not start at a multiple of 64");
  const uint64_t bytes = expert_bytes(tensor);
  if (raw.offset() > segment.bytes || bytes > segment.bytes - raw.offset()) {
    return corrupt("a tensor reaches behind the end of its segment");
  }
  // The last expert need not be followed by padding. Divided, not multiplied: count x stride could overflow.
  const uint64_t room = segment.bytes - raw.offset() - bytes;
  if (tensor.count > 1 && room / raw.stride() < uint64_t(tensor.count - 1)) {
    return corrupt("a tensor reaches behind the end of its segment");
  }
  const uint64_t begin = segment.offset + raw.offset();
  tensor.data = file_.data() + begin;
  return claim(begin, begin + uint64_t(tensor.count - 1) * raw.stride() + bytes);
}

// Here, not in a pass at the end: no byte is looked at twice, however many tensors a file points at it.
Status TensorReader::claim(uint64_t begin, uint64_t end) {
  const auto next = taken_.lower_bound(begin);
  const bool reaches_next = next != taken_.end() && next->first < end;
  const bool in_previous = next != taken_.begin() && std::prev(next)->second > begin;
  if (reaches_next || in_previous) return corrupt("two tensors overlap");
  taken_.emplace_hint(next, begin, end);
  return {};
}

Status TensorReader::read(const fb::Tensor& raw, fb::SegmentKind kind, graph::Tensor& tensor) {
  MOEFB_TRY(read_name(raw.name(), tensor.name));
  MOEFB_TRY(read_enum<Dtype::kI32>(raw.dtype(), "a tensor's dtype is unknown", tensor.dtype));
  MOEFB_TRY(read_shape(raw.shape(), tensor.shape));
  MOEFB_TRY(read_stacking(raw, tensor));
  MOEFB_TRY(place(raw, kind, tensor));
  return check_finite(tensor);
}

}  // namespace moefb::format
