// The sparse mixture: noisy top-k routing, k experts a row; hard with k = 1 (spec/cifar-heads.md, section 6).
#pragma once

#include "trainer/models/expert.h"
#include "trainer/models/head.h"

namespace moefb::trainer {

/// The gate's two linear layers, named as published.
class NoisyGate : public torch::nn::Module {
 public:
  explicit NoisyGate(const ModelConfig& config);

  torch::nn::Linear scores{nullptr};  ///< key w_gate
  torch::nn::Linear noise{nullptr};   ///< key w_noise
};

class SparseHead : public Head {
 public:
  explicit SparseHead(const ModelConfig& config, const Group& group = alone());
  HeadOutput forward(const at::Tensor& features, const Draws* draws) override;
  at::Tensor expert_logits(const at::Tensor& features) override;

 private:
  /// Steps 1 to 4: fills gate_logits, gate_scores and, where it is asked for, smooth_load.
  void score(const at::Tensor& features, const Draws* draws, HeadOutput& out);
  /// Steps 5 to 7: fills topk_idx and probs. @return (B, E) the weights that the experts' answers get
  at::Tensor select(const Draws* draws, HeadOutput& out) const;
  /// Each expert on the rows that selected it, in index order.
  at::Tensor combine(const at::Tensor& features, const at::Tensor& topk_idx, const at::Tensor& weights,
                     const Draws* draws);
  at::Tensor balance_loss(const HeadOutput& out, const at::Tensor& weights) const;

  ModelConfig config_;
  std::shared_ptr<NoisyGate> gate_;
  Experts experts_;
};

}  // namespace moefb::trainer
