#include "cpu/weights.h"

#include <cstring>

namespace moefb::cpu {

void expert_to_f32(const graph::Tensor& tensor, int64_t expert, float* dst) noexcept {
  const int64_t n = tensor.shape.elements();
  const std::byte* src = tensor.expert(expert);
  if (tensor.dtype == Dtype::kF32) {
    std::memcpy(dst, src, size_t(n) * sizeof(float));
    return;
  }
  for (int64_t i = 0; i < n; ++i) {  // bf16 is the upper half of an f32
    uint16_t half;
    std::memcpy(&half, src + i * 2, sizeof half);
    const uint32_t bits = uint32_t{half} << 16;
    std::memcpy(dst + i, &bits, sizeof bits);
  }
}

Status load_f32(const graph::Graph& graph, int tensor, Buffer<float>& all) noexcept {
  if (tensor < 0) return {};
  const graph::Tensor& stored = graph.tensors[size_t(tensor)];
  const int64_t n = stored.shape.elements();
  all = allocate<float>(n * stored.count);
  if (all == nullptr) return Status(Code::kOutOfMemory, "no memory for weights");
  for (int64_t e = 0; e < stored.count; ++e) expert_to_f32(stored, e, all.get() + e * n);
  return {};
}

}  // namespace moefb::cpu
