#include "trainer/models/sparse_head.h"

#include <ATen/ATen.h>

#include <limits>

#include "trainer/models/losses.h"

namespace moefb::trainer {

constexpr double kStdEps = 1e-5;
constexpr double kNoiseFloor = 0.3;

namespace {

/// The rows that selected each expert. @param topk_idx  (B, k)
std::vector<at::Tensor> rows_of_experts(const at::Tensor& topk_idx, int64_t experts) {
  std::vector<at::Tensor> rows;
  for (int64_t e = 0; e < experts; ++e) rows.push_back(topk_idx.eq(e).any(1).nonzero().squeeze(1));
  return rows;
}

std::vector<int64_t> lengths(const std::vector<at::Tensor>& all) {
  std::vector<int64_t> counts;
  for (const at::Tensor& one : all) counts.push_back(one.size(0));
  return counts;
}

}  // namespace

NoisyGate::NoisyGate(const ModelConfig& config) {
  scores = register_module("w_gate", torch::nn::Linear(config.in_dim, config.num_experts));
  noise = register_module("w_noise", torch::nn::Linear(config.in_dim, config.num_experts));
}

SparseHead::SparseHead(const ModelConfig& config, const Group& group) : Head(group), config_(config) {
  gate_ = register_module("gate", std::make_shared<NoisyGate>(config));
  experts_ = register_experts(*this, config);
}

HeadOutput SparseHead::forward(const at::Tensor& features, const Draws* draws) {
  HeadOutput out;
  score(features, draws, out);
  out.weights = select(draws, out);
  out.logits = combine(features, out.topk_idx, out.weights, draws);
  out.aux_loss = balance_loss(out, out.weights);
  return out;
}

void SparseHead::score(const at::Tensor& features, const Draws* draws, HeadOutput& out) {
  const BatchRows rows = rows_of(group(), features.size(0));
  const at::Tensor gate_input =
      dropout(features, config_.gate_input_dropout, is_training(), draws, "gate.gate_in_drop", rows);
  out.gate_logits = gate_->scores->forward(gate_input);
  const at::Tensor mean = out.gate_logits.mean(1, /*keepdim=*/true);
  // Of no rows LibTorch would warn.
  const at::Tensor deviation =
      features.size(0) == 0 ? mean : out.gate_logits.std(1, /*unbiased=*/true, /*keepdim=*/true);
  out.gate_scores = (out.gate_logits - mean) / (deviation + kStdEps);
  if (!is_training()) return;
  if (const at::Tensor noise = gate_noise(out.gate_scores, draws, rows); noise.defined()) {
    const at::Tensor clean = out.gate_scores;
    const at::Tensor deviation = at::softplus(gate_->noise->forward(gate_input)) + kNoiseFloor;
    out.gate_scores = clean + noise * deviation;
    if (config_.load_estimator == LoadEstimator::kSmooth) {
      out.smooth_load = smooth_load(clean, out.gate_scores, deviation, config_.k);
    }
  }
  out.gate_scores = dropout(out.gate_scores, config_.gate_logits_dropout, true, draws, "gate.gate_logits_drop", rows);
}

at::Tensor SparseHead::select(const Draws* draws, HeadOutput& out) const {
  const at::Tensor& scores = out.gate_scores;
  const bool given = draws && draws->topk_idx.defined();
  out.topk_idx = given ? draws->topk_idx : std::get<1>(scores.detach().topk(config_.k, 1));

  const at::Tensor selected = at::zeros_like(scores, at::kBool).scatter(1, out.topk_idx, true);
  const at::Tensor threshold = scores.detach().gather(1, out.topk_idx).amin(1, /*keepdim=*/true);
  const at::Tensor kept = config_.mask_rule == MaskRule::kIndex ? selected : scores.detach() >= threshold;
  const at::Tensor masked = scores.masked_fill(kept.logical_not(), -std::numeric_limits<double>::infinity());
  out.probs = at::softmax(masked / config_.temperature, 1);

  if (draws && draws->weights.defined()) return draws->weights;
  if (config_.combine_weight == CombineWeight::kPublished) return out.probs;
  return at::softmax(scores / config_.temperature, 1) * selected;
}

at::Tensor SparseHead::combine(const at::Tensor& features, const at::Tensor& topk_idx, const at::Tensor& weights,
                               const Draws* draws) {
  const std::vector<at::Tensor> chosen_by = rows_of_experts(topk_idx, config_.num_experts);
  const std::vector<BatchRows> of_all = rows_of(group(), lengths(chosen_by));
  at::Tensor logits = at::zeros({features.size(0), config_.num_classes}, features.options());
  for (int64_t e = 0; e < config_.num_experts; ++e) {
    const BatchRows& rows = of_all[size_t(e)];
    // An expert without rows must stay out of the graph: with a gradient of zeros weight decay would still move it.
    // One that only other processes use runs on no rows here: what is random is drawn alike everywhere.
    if (rows.total() == 0) continue;
    const at::Tensor& own = chosen_by[size_t(e)];
    const at::Tensor answers = experts_[size_t(e)]->forward(features.index_select(0, own), draws, rows);
    const at::Tensor weight = weights.select(1, e).index_select(0, own).unsqueeze(1);
    logits = logits.index_add(0, own, weight * answers);
  }
  return logits;
}

// Over the weights in use. As published these are `probs`; under `gate` those are constant, and only the weights can
// balance anything.
at::Tensor SparseHead::balance_loss(const HeadOutput& out, const at::Tensor& weights) const {
  if (config_.importance_coef <= 0 && config_.load_coef <= 0) return {};
  const at::Tensor load = group().sum(out.smooth_load.defined() ? out.smooth_load : weights.sum(0));
  return importance_loss(weights, config_.importance_coef, group()) + load_loss(load, config_.load_coef);
}

at::Tensor SparseHead::expert_logits(const at::Tensor& features) {
  const Draws nothing_random;
  return run_all_experts(experts_, features, &nothing_random, rows_of(alone(), features.size(0)));
}

}  // namespace moefb::trainer
