// The published dense comparison of the patch network: ResNet-18 as torchvision builds it, under its keys
// (spec/patch-moe.md, section 9).
#pragma once

#include <torch/nn/modules/linear.h>

#include "trainer/models/network.h"
#include "trainer/models/resnet.h"

namespace moefb::trainer {

class Resnet18 : public ResNet, public Network {
 public:
  /// @param width0  channels of the first stage; published: 64
  Resnet18(int64_t width0, int64_t classes, const Group& group = alone());

  using Network::run;
  NetworkOutput run(const at::Tensor& images, Precision precision) override;
  NetworkOutput rerun(const at::Tensor& images, const NetworkOutput&) override { return Network::run(images); }
  torch::nn::Module& module() override { return *this; }

 private:
  torch::nn::Linear fc_{nullptr};
};

}  // namespace moefb::trainer
