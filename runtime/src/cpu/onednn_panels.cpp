#include "cpu/onednn_panels.h"

#include "cpu/weights.h"
#include "kernels/reference/kernels.h"

namespace moefb::cpu {

Status Panels::pack(const OpSpec& spec, int64_t kernel) noexcept {
  taps_ = kernel * kernel;
  const int64_t column_elements = in_ * taps_;
  weights_ = allocate<float>(spec.experts * out_ * column_elements);
  const Buffer<float> one = allocate<float>(out_ * column_elements);
  if (weights_ == nullptr || one == nullptr) return Status(Code::kOutOfMemory, "no memory for packed weights");
  for (int64_t e = 0; e < spec.experts; ++e) {
    expert_to_f32(*spec.tensor(spec.node.weight), e, one.get());
    for (int64_t first = 0; first < out_; first += width_) {
      kernels::reference::pack_conv2d(one.get() + first * column_elements, std::min(width_, out_ - first), in_, kernel,
                                      kernel, weights_.get() + (e * out_ + first) * column_elements);
    }
  }
  return load_f32(spec.graph, spec.node.bias, bias_);
}

}  // namespace moefb::cpu
