// The dense block between two scales of the patch network (spec/patch-moe.md, section 1.1).
#pragma once

#include <torch/nn/module.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/normalization.h>

namespace moefb::trainer {

class DownsampleBlock : public torch::nn::Module {
 public:
  DownsampleBlock(int64_t in_channels, int64_t channels);

  /// (B, in_channels, H, W) to (B, channels, ceil(H / 2), ceil(W / 2)).
  at::Tensor forward(const at::Tensor& map);

 private:
  torch::nn::Conv2d conv1_{nullptr};
  torch::nn::GroupNorm gn1_{nullptr};
  torch::nn::Conv2d conv2_{nullptr};
  torch::nn::GroupNorm gn2_{nullptr};
  torch::nn::Conv2d skip_conv_{nullptr};
  torch::nn::GroupNorm skip_norm_{nullptr};
};

}  // namespace moefb::trainer
