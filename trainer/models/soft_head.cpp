#include "trainer/models/soft_head.h"

#include <ATen/ATen.h>

#include "trainer/models/losses.h"

namespace moefb::trainer {

SoftHead::SoftHead(const ModelConfig& config, const Group& group) : Head(group), config_(config) {
  gate_ = register_module("gate", torch::nn::Linear(config.in_dim, config.num_experts));
  experts_ = register_experts(*this, config);
}

HeadOutput SoftHead::forward(const at::Tensor& features, const Draws* draws) {
  HeadOutput out;
  const BatchRows rows = rows_of(group(), features.size(0));
  out.gate_logits =
      gate_->forward(dropout(features, config_.gate_input_dropout, is_training(), draws, "gate_dropout", rows));
  const at::Tensor scores =
      dropout(out.gate_logits, config_.gate_logits_dropout, is_training(), draws, "gate_logits_dropout", rows);
  out.probs = at::softmax(scores / config_.temperature, -1);
  out.weights = draws && draws->weights.defined() ? draws->weights : out.probs;
  out.logits = (out.weights.unsqueeze(2) * run_all_experts(experts_, features, draws, rows)).sum(1);
  if (config_.kl_coef > 0) out.aux_loss = soft_balance_loss(out.probs, config_.kl_coef, group());
  return out;
}

at::Tensor SoftHead::expert_logits(const at::Tensor& features) {
  const Draws nothing_random;
  return run_all_experts(experts_, features, &nothing_random, rows_of(alone(), features.size(0)));
}

}  // namespace moefb::trainer
