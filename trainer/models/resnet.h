// ResNet-18 of free width, with a stem for small or for large pictures (spec/cifar-heads.md, section 2;
// spec/patch-moe.md, section 9).
#pragma once

#include <torch/nn/module.h>
#include <torch/nn/modules/conv.h>

#include <memory>
#include <vector>

#include "trainer/models/sync_batch_norm.h"

namespace moefb::trainer {

/// Two 3x3 convolutions and a shortcut.
class BasicBlock : public torch::nn::Module {
 public:
  BasicBlock(int64_t in_channels, int64_t channels, int64_t stride, const Group& group);
  at::Tensor forward(const at::Tensor& x);

 private:
  torch::nn::Conv2d conv1_{nullptr};
  std::shared_ptr<SyncBatchNorm2d> bn1_;
  torch::nn::Conv2d conv2_{nullptr};
  std::shared_ptr<SyncBatchNorm2d> bn2_;
  torch::nn::Conv2d shortcut_conv_{nullptr};  ///< null: the shortcut is the identity
  std::shared_ptr<SyncBatchNorm2d> shortcut_bn_;
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
  /// @param group   whose batches are normalised together; must outlive this
  explicit ResNet(int64_t width0, Stem stem = Stem::kSmall, const Group& group = alone());

  /// (B, 3, H, W) to (B, 8 * width0). @param maps  filled if not null
  at::Tensor forward(const at::Tensor& images, FeatureMaps* maps = nullptr);

 private:
  using Stage = std::vector<std::shared_ptr<BasicBlock>>;

  Stem stem_;
  torch::nn::Conv2d conv1_{nullptr};
  std::shared_ptr<SyncBatchNorm2d> bn1_;
  Stage stages_[4];
};

}  // namespace moefb::trainer
