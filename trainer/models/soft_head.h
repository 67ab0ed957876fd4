// The soft mixture: every expert on every row, weighted by the gate (spec/cifar-heads.md, section 5).
#pragma once

#include "trainer/models/expert.h"
#include "trainer/models/head.h"

namespace moefb::trainer {

class SoftHead : public Head {
 public:
  explicit SoftHead(const ModelConfig& config, const Group& group = alone());
  HeadOutput forward(const at::Tensor& features, const Draws* draws) override;
  at::Tensor expert_logits(const at::Tensor& features) override;

 private:
  ModelConfig config_;
  torch::nn::Linear gate_{nullptr};
  Experts experts_;
};

}  // namespace moefb::trainer
