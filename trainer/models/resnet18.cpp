#include "trainer/models/resnet18.h"

namespace moefb::trainer {

Resnet18::Resnet18(int64_t width0, int64_t classes) : ResNet(width0, Stem::kLarge) {
  fc_ = register_module("fc", torch::nn::Linear(8 * width0, classes));
}

NetworkOutput Resnet18::run(const at::Tensor& images) {
  NetworkOutput out;
  out.logits = fc_->forward(forward(images));
  return out;
}

}  // namespace moefb::trainer
