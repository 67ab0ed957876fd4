#include "trainer/models/resnet18.h"

namespace moefb::trainer {

Resnet18::Resnet18(int64_t width0, int64_t classes, const Group& group) : ResNet(width0, Stem::kLarge, group) {
  fc_ = register_module("fc", torch::nn::Linear(8 * width0, classes));
}

NetworkOutput Resnet18::run(const at::Tensor& images, Precision precision) {
  NetworkOutput out;
  if (precision == Precision::kBf16) {
    const Bf16Autocast autocast(images.device().type());
    out.logits = fc_->forward(forward(images)).to(at::kFloat);
  } else {
    out.logits = fc_->forward(forward(images));
  }
  return out;
}

}  // namespace moefb::trainer
