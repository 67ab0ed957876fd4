#include "trainer/models/dense_head.h"

#include <ATen/ops/relu.h>

namespace moefb::trainer {

constexpr double kDropout = 0.1;  // not configurable in the published code

DenseHead::DenseHead(const ModelConfig& config, const Group& group) : Head(group) {
  const auto fc = register_module("fc", std::make_shared<torch::nn::Module>());
  first_ = fc->register_module("0", torch::nn::Linear(config.in_dim, config.width));
  second_ = fc->register_module("3", torch::nn::Linear(config.width, config.num_classes));
}

HeadOutput DenseHead::forward(const at::Tensor& features, const Draws* draws) {
  HeadOutput out;
  out.hidden_pre = first_->forward(features);
  const BatchRows rows = rows_of(group(), features.size(0));
  out.logits = second_->forward(dropout(at::relu(out.hidden_pre), kDropout, is_training(), draws, "fc.2", rows));
  return out;
}

}  // namespace moefb::trainer
