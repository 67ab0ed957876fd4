#include "trainer/models/patch_router.h"

#include <ATen/ATen.h>

#include "trainer/distributed/rows.h"
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

/// Whose tokens compete for the slots.
struct Contest {
  SlotLimits limits;  ///< of all processes
  BatchRows tokens, images;
  bool by_image = false;  ///< each image has slots of its own, so that no other process has a say

  SlotLimits own_limits() const { return {limits.experts, images.count(), limits.capacity}; }
};

Assignment nobody(const at::Tensor& like) {
  const at::Tensor none = at::empty({0}, like.options().dtype(at::kLong));
  return {none, none};
}

Assignment assign(const at::Tensor& probs, const Contest& contest, DropPolicy policy) {
  if (contest.by_image && contest.images.count() == 0) return nobody(probs);
  if (contest.by_image) return assign_by_confidence(probs, contest.own_limits(), policy);
  // Every process ranks all tokens, and comes to the same order.
  const Assignment all = assign_by_confidence(contest.tokens.gather(probs), contest.limits, policy);
  return {contest.tokens.own(all.expert), contest.tokens.own(all.slot)};
}

Assignment deal_out(const at::Tensor& scores, const Contest& contest) {
  if (contest.by_image && contest.images.count() == 0) return nobody(scores);
  if (contest.by_image) return assign_uniformly(scores.size(0), contest.own_limits(), scores);
  const Assignment all = assign_uniformly(contest.tokens.total(), contest.limits, scores);
  return {contest.tokens.own(all.expert), contest.tokens.own(all.slot)};
}

/// Over all processes; 0 for a single number, whose deviation is none.
at::Tensor standard_deviation(const at::Tensor& scores, const BatchRows& tokens) {
  const at::Tensor values = scores.detach();
  if (tokens.group().size() == 1) return values.numel() > 1 ? values.std() : at::zeros({}, scores.options());
  const double count = double(tokens.total() * scores.size(1));
  if (count < 2) return at::zeros({}, scores.options());
  const at::Tensor wide = values.to(at::kDouble);
  const at::Tensor sums = tokens.group().sum(at::stack({wide.sum(), wide.square().sum()}));
  const at::Tensor squares = sums[1] - sums[0].square() / count;
  return (squares.clamp_min(0) / (count - 1)).sqrt().to(scores.scalar_type());
}

void route_specialised(const at::Tensor& scores, const at::Tensor& noise, const RouterOptions& options,
                       const Contest& contest, Routing& out) {
  out.scaled_logits = noise.defined() ? scores + noise : scores;
  out.probs = at::softmax(out.scaled_logits, 1);
  const Assignment assignment = assign(out.probs, contest, options.drop_policy);
  out.expert = assignment.expert;
  out.slot = assignment.slot;
  out.weight = combine_weights(out.probs, out.expert, options.combine_weight);
  out.z_loss = router_z_loss(scores, contest.tokens);
  out.balance_loss = patch_balance_loss(out.probs, out.expert, contest.tokens);
  out.diversity_loss = diversity_loss(out.probs, contest.tokens.group());
}

void route_uniformly(const at::Tensor& scores, const Contest& contest, Routing& out) {
  out.scaled_logits = scores;  // for monitoring
  const Assignment assignment = deal_out(scores, contest);
  out.expert = assignment.expert;
  out.slot = assignment.slot;
  out.weight = (out.expert >= 0).to(scores.scalar_type()) / double(contest.limits.experts);
  out.z_loss = out.balance_loss = out.diversity_loss = at::zeros({}, scores.options());
}

}  // namespace

Routing route(const at::Tensor& gate_logits, int64_t images, const RouterOptions& options, const RoutingPhase& phase,
              bool training, const at::Tensor& noise01, const Group& group) {
  const at::Tensor scores = (gate_logits / phase.temperature).clamp(-kScoreLimit, kScoreLimit);
  const std::vector<BatchRows> rows = rows_of(group, {scores.size(0), images});
  const SlotLimits limits = slot_limits(options, training, rows[0].total(), rows[1].total(), scores.size(1));
  const Contest contest = {limits, rows[0], rows[1], options.capacity_group == CapacityGroup::kImage};
  Routing out;
  out.capacity = limits.capacity;
  out.groups = limits.groups;
  out.logits_std = standard_deviation(scores, contest.tokens);
  if (phase.uniform) {
    route_uniformly(scores, contest, out);
  } else {
    const bool noisy = training && phase.noise_level > 0 && noise01.defined();
    route_specialised(scores, noisy ? noise01 * phase.noise_level : at::Tensor(), options, contest, out);
  }
  return out;
}

}  // namespace moefb::trainer
