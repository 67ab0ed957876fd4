#include "trainer/models/patch_router.h"

#include <ATen/ATen.h>

#include "trainer/models/patch_losses.h"
#include "trainer/models/patch_slots.h"

namespace moefb::trainer {
namespace {

constexpr double kScoreLimit = 10;
constexpr double kMinGate = 1e-6;

// As published the value is 1, while the slope is that of log(gate): the gate learns without scaling what experts say.
at::Tensor combine_weights(const at::Tensor& probs, const at::Tensor& expert, CombineWeight rule) {
  const at::Tensor gate = probs.gather(1, expert.clamp_min(0).unsqueeze(1)).squeeze(1);
  const at::Tensor weight = rule == CombineWeight::kGate ? gate : gate / gate.detach().clamp_min(kMinGate);
  return weight * (expert >= 0);
}

void route_specialised(const at::Tensor& scores, const at::Tensor& noise, const RouterOptions& options,
                       const SlotLimits& limits, Routing& out) {
  out.scaled_logits = noise.defined() ? scores + noise : scores;
  out.probs = at::softmax(out.scaled_logits, 1);
  const Assignment assignment = assign_by_confidence(out.probs, limits, options.drop_policy);
  out.expert = assignment.expert;
  out.slot = assignment.slot;
  out.weight = combine_weights(out.probs, out.expert, options.combine_weight);
  out.z_loss = router_z_loss(scores);
  out.balance_loss = patch_balance_loss(out.probs, out.expert);
  out.diversity_loss = diversity_loss(out.probs);
}

void route_uniformly(const at::Tensor& scores, const SlotLimits& limits, Routing& out) {
  out.scaled_logits = scores;  // for monitoring
  const Assignment assignment = assign_uniformly(scores.size(0), limits, scores);
  out.expert = assignment.expert;
  out.slot = assignment.slot;
  out.weight = (out.expert >= 0).to(scores.scalar_type()) / double(limits.experts);
  out.z_loss = out.balance_loss = out.diversity_loss = at::zeros({}, scores.options());
}

}  // namespace

Routing route(const at::Tensor& gate_logits, int64_t images, const RouterOptions& options, const RoutingPhase& phase,
              bool training, const at::Tensor& noise01) {
  const at::Tensor scores = (gate_logits / phase.temperature).clamp(-kScoreLimit, kScoreLimit);
  const SlotLimits limits = slot_limits(options, training, scores.size(0), images, scores.size(1));
  Routing out;
  out.capacity = limits.capacity;
  out.groups = limits.groups;
  // The deviation of a single number is none.
  out.logits_std = scores.numel() > 1 ? scores.detach().std() : at::zeros({}, scores.options());
  if (phase.uniform) {
    route_uniformly(scores, limits, out);
  } else {
    const bool noisy = training && phase.noise_level > 0 && noise01.defined();
    route_specialised(scores, noisy ? noise01 * phase.noise_level : at::Tensor(), options, limits, out);
  }
  return out;
}

}  // namespace moefb::trainer
