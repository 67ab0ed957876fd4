// One expert of the patch network: two convolutions with a shortcut, on single patches (spec/patch-moe.md,
// section 1.2).
#pragma once

#include <torch/nn/module.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/normalization.h>

#include <memory>
#include <vector>

namespace moefb::trainer {

class ConvExpert : public torch::nn::Module {
 public:
  /// With another width or stride the shortcut is a 1x1 convolution; patch networks have neither.
  ConvExpert(int64_t in_channels, int64_t channels, int64_t kernel, int64_t stride = 1);

  /// (tokens, in_channels, P, P) to (tokens, channels, P / stride, P / stride). No token sees another.
  at::Tensor forward(const at::Tensor& tokens);

 private:
  torch::nn::Conv2d conv1_{nullptr};
  torch::nn::GroupNorm norm1_{nullptr};
  torch::nn::Conv2d conv2_{nullptr};
  torch::nn::GroupNorm norm2_{nullptr};
  torch::nn::Conv2d skip_conv_{nullptr};  ///< null: the shortcut is the identity
  torch::nn::GroupNorm skip_norm_{nullptr};
};

using ConvExperts = std::vector<std::shared_ptr<ConvExpert>>;

}  // namespace moefb::trainer
