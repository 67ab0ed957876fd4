#include "trainer/models/patch_downsample.h"

#include <ATen/ops/silu.h>

#include "trainer/models/patch_parts.h"
#include "trainer/models/pointwise.h"

namespace moefb::trainer {

DownsampleBlock::DownsampleBlock(int64_t in_channels, int64_t channels) {
  conv1_ = register_module("conv1", make_plain_conv(in_channels, channels, 3, 2));
  gn1_ = register_module("gn1", make_group_norm(channels));
  conv2_ = register_module("conv2", make_plain_conv(channels, channels, 3));
  gn2_ = register_module("gn2", make_group_norm(channels));
  const auto skip = register_module("skip", std::make_shared<torch::nn::Module>());
  skip_conv_ = skip->register_module("0", make_plain_conv(in_channels, channels, 1, 2));
  skip_norm_ = skip->register_module("1", make_group_norm(channels));
}

at::Tensor DownsampleBlock::forward(const at::Tensor& map) {
  const at::Tensor inner = at::silu(gn1_->forward(conv1_->forward(map)));
  const at::Tensor residual = gn2_->forward(conv2_->forward(inner));
  return at::silu(residual + skip_norm_->forward(pointwise(skip_conv_, map)));
}

}  // namespace moefb::trainer
