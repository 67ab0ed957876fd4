#include "trainer/models/cifar_net.h"

namespace moefb::trainer {

CifarNet::CifarNet(const ModelConfig& config, const Group& group) {
  // The published checkpoint wraps the network once more: keys read backbone.backbone.conv1.weight.
  const auto wrapper = register_module("backbone", std::make_shared<torch::nn::Module>());
  backbone_ = wrapper->register_module("backbone", std::make_shared<ResNet>(config.width0, Stem::kSmall, group));
  head_ = register_module("head", make_head(config, group));
}

NetOutput CifarNet::forward(const at::Tensor& images, Precision precision, const Draws* draws, FeatureMaps* maps) {
  NetOutput out;
  if (precision == Precision::kBf16) {
    const Bf16Autocast autocast(images.device().type());
    out.features = backbone_->forward(images, maps).to(at::kFloat);
  } else {
    out.features = backbone_->forward(images, maps);
  }
  out.head = head_->forward(out.features, draws);
  return out;
}

NetworkOutput CifarNet::run(const at::Tensor& images, Precision precision) {
  return run(images, precision, nullptr);
}

NetworkOutput CifarNet::rerun(const at::Tensor& images, const NetworkOutput& routes) {
  Draws held;
  held.topk_idx = routes.head.topk_idx;
  held.weights = routes.head.weights;
  return run(images, Precision::kF32, &held);
}

NetworkOutput CifarNet::run(const at::Tensor& images, Precision precision, const Draws* draws) {
  NetworkOutput out;
  out.head = forward(images, precision, draws).head;
  out.logits = out.head.logits;
  out.aux_loss = out.head.aux_loss;
  return out;
}

void use_channels_last(torch::nn::Module& module) {
  for (auto& parameter : module.parameters()) {
    if (parameter.dim() == 4) parameter.set_data(parameter.contiguous(at::MemoryFormat::ChannelsLast));
  }
}

}  // namespace moefb::trainer
