// ResNet-18 with a stem for small pictures and free width (spec/cifar-heads.md, section 2).
#pragma once

#include <torch/nn/module.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>

#include <memory>
#include <vector>

namespace moefb::trainer {

/// Two 3x3 convolutions and a shortcut.
class BasicBlock : public torch::nn::Module {
 public:
  BasicBlock(int64_t in_channels, int64_t channels, int64_t stride);
  at::Tensor forward(const at::Tensor& x);

 private:
  torch::nn::Conv2d conv1_{nullptr};
  torch::nn::BatchNorm2d bn1_{nullptr};
  torch::nn::Conv2d conv2_{nullptr};
  torch::nn::BatchNorm2d bn2_{nullptr};
  torch::nn::Conv2d shortcut_conv_{nullptr};  ///< null: the shortcut is the identity
  torch::nn::BatchNorm2d shortcut_bn_{nullptr};
};

/// The maps on the way, (B, C, H, W).
struct FeatureMaps {
  at::Tensor stem_bn;   ///< after the stem's BatchNorm, before its ReLU
  at::Tensor layer[4];  ///< after each stage
};

class ResNet : public torch::nn::Module {
 public:
  /// @param width0  channels of the first stage; the others have 2, 4 and 8 times as many
  explicit ResNet(int64_t width0);

  /// (B, 3, H, W) to (B, 8 * width0). @param maps  filled if not null
  at::Tensor forward(const at::Tensor& images, FeatureMaps* maps = nullptr);

 private:
  using Stage = std::vector<std::shared_ptr<BasicBlock>>;

  torch::nn::Conv2d conv1_{nullptr};
  torch::nn::BatchNorm2d bn1_{nullptr};
  Stage stages_[4];
};

}  // namespace moefb::trainer
