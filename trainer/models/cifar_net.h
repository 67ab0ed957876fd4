// A whole classifier of small pictures: ResNet features, then a head.
#pragma once

#include <torch/nn/module.h>

#include <memory>

#include "trainer/models/head.h"
#include "trainer/models/model_config.h"
#include "trainer/models/network.h"
#include "trainer/models/resnet.h"

namespace moefb::trainer {

struct NetOutput {
  at::Tensor features;  ///< (B, in_dim) f32
  HeadOutput head;
};

class CifarNet : public torch::nn::Module, public Network {
 public:
  /// @pre config.kind is cifar_e2e, config.num_classes is set
  /// @param group  the processes that train it; must outlive this
  explicit CifarNet(const ModelConfig& config, const Group& group = alone());

  /// @param images  (B, 3, H, W) normalised
  NetOutput forward(const at::Tensor& images, Precision precision = Precision::kF32, const Draws* draws = nullptr,
                    FeatureMaps* maps = nullptr);

  using Network::run;
  NetworkOutput run(const at::Tensor& images, Precision precision) override;
  NetworkOutput rerun(const at::Tensor& images, const NetworkOutput& routes) override;
  torch::nn::Module& module() override { return *this; }

  Head& head() { return *head_; }

 private:
  NetworkOutput run(const at::Tensor& images, Precision precision, const Draws* draws);

  std::shared_ptr<ResNet> backbone_;
  std::shared_ptr<Head> head_;
};

/// Lays the convolution kernels out in channels-last order. Module::to knows no memory format.
void use_channels_last(torch::nn::Module& module);

}  // namespace moefb::trainer
