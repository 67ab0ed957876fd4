// ResNet-18 of free width, with a stem for small or for large pictures (spec/cifar-heads.md, section 2;
// spec/patch-moe.md, section 9).
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

enum class Stem : uint8_t {
  kSmall,  ///< 3x3, as the CIFAR network has it
  kLarge,  ///< 7x7 with stride 2, then max-pooling: a quarter of the sides
};

class ResNet : public torch::nn::Module {
 public:
  /// @param width0  channels of the first stage; the others have 2, 4 and 8 times as many
  explicit ResNet(int64_t width0, Stem stem = Stem::kSmall);

  /// (B, 3, H, W) to (B, 8 * width0). @param maps  filled if not null
  at::Tensor forward(const at::Tensor& images, FeatureMaps* maps = nullptr);

 private:
  using Stage = std::vector<std::shared_ptr<BasicBlock>>;

  Stem stem_;
  torch::nn::Conv2d conv1_{nullptr};
  torch::nn::BatchNorm2d bn1_{nullptr};
  Stage stages_[4];
};

}  // namespace moefb::trainer
