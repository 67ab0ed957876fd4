// The dense head: two linear layers (spec/cifar-heads.md, section 3).
#pragma once

#include <torch/nn/modules/linear.h>

#include "trainer/models/head.h"

namespace moefb::trainer {

class DenseHead : public Head {
 public:
  explicit DenseHead(const ModelConfig& config, const Group& group = alone());
  HeadOutput forward(const at::Tensor& features, const Draws* draws) override;
  at::Tensor expert_logits(const at::Tensor&) override { return {}; }

 private:
  torch::nn::Linear first_{nullptr};
  torch::nn::Linear second_{nullptr};
};

}  // namespace moefb::trainer
