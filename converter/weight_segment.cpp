#include "converter/weight_segment.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "converter/bf16.h"
#include "schema/container.h"

namespace moefb::convert {
namespace {

std::vector<uint16_t> rounded(std::span<const float> values) {
  std::vector<uint16_t> bits(values.size());
  std::transform(values.begin(), values.end(), bits.begin(), to_bf16);
  return bits;
}

/// The largest finite bf16 has the upper half of this f32; what rounds above it is infinite.
bool overflows(float value, fb::Dtype dtype) {
  return !std::isfinite(value) || (dtype == fb::Dtype::bf16 && (to_bf16(value) & 0x7fff) == 0x7f80);
}

}  // namespace

uint64_t AlignedBytes::append(std::span<const std::byte> bytes) {
  align();
  const uint64_t offset = bytes_.size();
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  return offset;
}

void AlignedBytes::align() {
  bytes_.resize(container::align_up(bytes_.size(), container::kTensorAlignment));
}

uint64_t WeightSegment::append(const std::string& name, std::span<const float> values, fb::Dtype dtype) {
  for (const float value : values) {
    if (overflows(value, dtype))
      throw std::runtime_error(source_ + ": tensor \"" + name +
                               "\" is not finite once BatchNorm is folded and rounded");
  }
  if (dtype == fb::Dtype::bf16) return data_.append(std::as_bytes(std::span<const uint16_t>(rounded(values))));
  return data_.append(std::as_bytes(values));
}

int32_t WeightSegment::add(const std::string& name, const Extents& shape, std::span<const float> values, Role role) {
  auto tensor = std::make_unique<fb::TensorT>();
  tensor->name = name;
  tensor->dtype = role == Role::kMatrix && dtype_ == WeightDtype::kBf16 ? fb::Dtype::bf16 : fb::Dtype::f32;
  tensor->shape.assign(shape.begin(), shape.end());
  tensor->offset = append(name, values, tensor->dtype);
  tensors_.push_back(std::move(tensor));
  return static_cast<int32_t>(tensors_.size()) - 1;
}

int32_t WeightSegment::add_stacked(const std::string& name, const Extents& shape,
                                   std::span<const std::vector<float>> experts, Role role) {
  const int32_t index = add(name, shape, experts.front(), role);
  fb::TensorT& tensor = *tensors_.back();
  if (experts.size() == 1) return index;
  for (const std::vector<float>& values : experts.subspan(1)) {
    const uint64_t offset = append(name, values, tensor.dtype);
    if (tensor.stride == 0) tensor.stride = offset - tensor.offset;
  }
  data_.align();  // the last expert fills its whole stride
  tensor.count = experts.size();
  return index;
}

}  // namespace moefb::convert
