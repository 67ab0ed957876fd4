#include "trainer/models/resnet.h"

#include <ATen/ATen.h>
#include <torch/nn/init.h>

#include "trainer/models/pointwise.h"

namespace moefb::trainer {
namespace {

torch::nn::Conv2d make_conv(int64_t in_channels, int64_t channels, int64_t kernel, int64_t stride) {
  const auto options =
      torch::nn::Conv2dOptions(in_channels, channels, kernel).stride(stride).padding(kernel / 2).bias(false);
  return torch::nn::Conv2d(options);
}

// torchvision initialises every convolution so; the small stem, put in after that, keeps the framework's default.
torch::nn::Conv2d make_kaiming_conv(int64_t in_channels, int64_t channels, int64_t kernel, int64_t stride) {
  torch::nn::Conv2d conv = make_conv(in_channels, channels, kernel, stride);
  torch::nn::init::kaiming_normal_(conv->weight, 0, torch::kFanOut, torch::kReLU);
  return conv;
}

}  // namespace

BasicBlock::BasicBlock(int64_t in_channels, int64_t channels, int64_t stride, const Group& group) {
  conv1_ = register_module("conv1", make_kaiming_conv(in_channels, channels, 3, stride));
  bn1_ = register_module("bn1", std::make_shared<SyncBatchNorm2d>(channels, group));
  conv2_ = register_module("conv2", make_kaiming_conv(channels, channels, 3, 1));
  bn2_ = register_module("bn2", std::make_shared<SyncBatchNorm2d>(channels, group));
  if (stride == 1 && in_channels == channels) return;
  const auto downsample = register_module("downsample", std::make_shared<torch::nn::Module>());
  shortcut_conv_ = downsample->register_module("0", make_kaiming_conv(in_channels, channels, 1, stride));
  shortcut_bn_ = downsample->register_module("1", std::make_shared<SyncBatchNorm2d>(channels, group));
}

at::Tensor BasicBlock::forward(const at::Tensor& x) {
  const at::Tensor inner = at::relu(bn1_->forward(conv1_->forward(x)));
  const at::Tensor residual = bn2_->forward(conv2_->forward(inner));
  const at::Tensor shortcut = shortcut_conv_.is_empty() ? x : shortcut_bn_->forward(pointwise(shortcut_conv_, x));
  return at::relu(residual + shortcut);
}

ResNet::ResNet(int64_t width0, Stem stem, const Group& group) : stem_(stem) {
  conv1_ =
      register_module("conv1", stem == Stem::kSmall ? make_conv(3, width0, 3, 1) : make_kaiming_conv(3, width0, 7, 2));
  bn1_ = register_module("bn1", std::make_shared<SyncBatchNorm2d>(width0, group));
  int64_t in_channels = width0;
  for (int stage = 0; stage < 4; ++stage) {
    const auto list = register_module("layer" + std::to_string(stage + 1), std::make_shared<torch::nn::Module>());
    const int64_t channels = width0 << stage;
    const int64_t stride = stage == 0 ? 1 : 2;
    stages_[stage] = {
        list->register_module("0", std::make_shared<BasicBlock>(in_channels, channels, stride, group)),
        list->register_module("1", std::make_shared<BasicBlock>(channels, channels, 1, group)),
    };
    in_channels = channels;
  }
}

at::Tensor ResNet::forward(const at::Tensor& images, FeatureMaps* maps) {
  const at::Tensor stem_bn = bn1_->forward(conv1_->forward(images));
  if (maps) maps->stem_bn = stem_bn;
  at::Tensor x = at::relu(stem_bn);
  if (stem_ == Stem::kLarge) x = at::max_pool2d(x, {3, 3}, {2, 2}, {1, 1});
  for (int stage = 0; stage < 4; ++stage) {
    for (const auto& block : stages_[stage]) x = block->forward(x);
    if (maps) maps->layer[stage] = x;
  }
  return x.mean({2, 3});
}

}  // namespace moefb::trainer
