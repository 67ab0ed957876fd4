#include "trainer/models/cifar_net.h"

#include <ATen/autocast_mode.h>

namespace moefb::trainer {
namespace {

/// bf16 autocast on the CPU while it lives.
class Bf16Autocast {
 public:
  Bf16Autocast() : was_enabled_(at::autocast::is_autocast_enabled(at::kCPU)) {
    at::autocast::set_autocast_enabled(at::kCPU, true);
    at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
    at::autocast::increment_nesting();
  }
  ~Bf16Autocast() {
    if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(at::kCPU, was_enabled_);
  }
  Bf16Autocast(const Bf16Autocast&) = delete;
  Bf16Autocast& operator=(const Bf16Autocast&) = delete;

 private:
  bool was_enabled_;
};

}  // namespace

CifarNet::CifarNet(const ModelConfig& config) {
  // The published checkpoint wraps the network once more: keys read backbone.backbone.conv1.weight.
  const auto wrapper = register_module("backbone", std::make_shared<torch::nn::Module>());
  backbone_ = wrapper->register_module("backbone", std::make_shared<ResNet>(config.width0));
  head_ = register_module("head", make_head(config));
}

NetOutput CifarNet::forward(const at::Tensor& images, Precision precision, const Draws* draws, FeatureMaps* maps) {
  NetOutput out;
  if (precision == Precision::kBf16) {
    const Bf16Autocast autocast;
    out.features = backbone_->forward(images, maps).to(at::kFloat);
  } else {
    out.features = backbone_->forward(images, maps);
  }
  out.head = head_->forward(out.features, draws);
  return out;
}

void use_channels_last(torch::nn::Module& module) {
  for (auto& parameter : module.parameters()) {
    if (parameter.dim() == 4) parameter.set_data(parameter.contiguous(at::MemoryFormat::ChannelsLast));
  }
}

}  // namespace moefb::trainer
