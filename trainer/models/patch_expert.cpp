#include "trainer/models/patch_expert.h"

#include <ATen/ops/silu.h>

#include "trainer/models/patch_parts.h"
#include "trainer/models/pointwise.h"

namespace moefb::trainer {

ConvExpert::ConvExpert(int64_t in_channels, int64_t channels, int64_t kernel, int64_t stride) {
  const auto block = register_module("conv_block", std::make_shared<torch::nn::Module>());
  conv1_ = block->register_module("0", make_plain_conv(in_channels, channels, kernel, stride));
  norm1_ = block->register_module("1", make_group_norm(channels));
  conv2_ = block->register_module("3", make_plain_conv(channels, channels, kernel));
  norm2_ = block->register_module("4", make_group_norm(channels));
  if (stride == 1 && in_channels == channels) return;
  const auto skip = register_module("skip", std::make_shared<torch::nn::Module>());
  skip_conv_ = skip->register_module("0", make_plain_conv(in_channels, channels, 1, stride));
  skip_norm_ = skip->register_module("1", make_group_norm(channels));
}

at::Tensor ConvExpert::forward(const at::Tensor& tokens) {
  const at::Tensor inner = at::silu(norm1_->forward(conv1_->forward(tokens)));
  const at::Tensor answer = norm2_->forward(conv2_->forward(inner));
  return answer + (skip_conv_.is_empty() ? tokens : skip_norm_->forward(pointwise(skip_conv_, tokens)));
}

}  // namespace moefb::trainer
