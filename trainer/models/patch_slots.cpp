#include "trainer/models/patch_slots.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace moefb::trainer {
namespace {

/// (T): the group of each token.
at::Tensor groups_of(int64_t tokens, const SlotLimits& limits, const at::Tensor& like) {
  const int64_t length = tokens / limits.groups;
  return at::arange(tokens, like.options().dtype(at::kLong)).div(length, "floor");
}

Assignment drop_beyond_capacity(const at::Tensor& expert, const at::Tensor& slot, int64_t capacity) {
  const at::Tensor dropped = slot >= capacity;
  return {expert.masked_fill(dropped, -1), slot.masked_fill(dropped, -1)};
}

/// (T): the place of each token in the queue before its expert.
/// @param order  (T) tokens, the most confident first
at::Tensor queue_places(const at::Tensor& expert, const at::Tensor& order, const SlotLimits& limits) {
  const int64_t tokens = expert.size(0);
  const at::Tensor queue = groups_of(tokens, limits, expert) * limits.experts + expert;
  // A stable sort by queue leaves every queue in the order of confidence.
  const at::Tensor by_queue =
      order.index_select(0, at::argsort(queue.index_select(0, order), /*stable=*/true, 0, /*descending=*/false));
  const at::Tensor lengths = at::bincount(queue, {}, limits.groups * limits.experts);
  const at::Tensor starts = lengths.cumsum(0) - lengths;
  const at::Tensor places =
      at::arange(tokens, queue.options()) - starts.index_select(0, queue.index_select(0, by_queue));
  return at::empty_like(queue).index_copy(0, by_queue, places);
}

/// How many slots each expert of each group still has: (groups * experts).
std::vector<int64_t> free_slots(const int64_t* expert, int64_t tokens, const SlotLimits& limits) {
  std::vector<int64_t> room(size_t(limits.groups * limits.experts), limits.capacity);
  const int64_t length = tokens / limits.groups;
  for (int64_t t = 0; t < tokens; ++t) {
    if (expert[t] >= 0) --room[size_t(t / length * limits.experts + expert[t])];
  }
  return room;
}

/// The most probable expert that has room; -1 if all are full.
int64_t best_with_room(const float* probs, const int64_t* room, int64_t experts) {
  int64_t best = -1;
  for (int64_t e = 0; e < experts; ++e) {
    if (room[e] > 0 && (best < 0 || probs[e] > probs[best])) best = e;
  }
  return best;
}

// One token after the other, since each changes what room the next finds: on the CPU, wherever the network runs.
Assignment place_dropped(const at::Tensor& probs, const at::Tensor& order, const SlotLimits& limits,
                         const Assignment& first) {
  const at::Tensor p = probs.to(at::kCPU, at::kFloat).contiguous();
  const at::Tensor queue = order.to(at::kCPU).contiguous();
  const Assignment placed = {first.expert.to(at::kCPU).clone(), first.slot.to(at::kCPU).clone()};
  const int64_t tokens = p.size(0);
  auto* expert = placed.expert.mutable_data_ptr<int64_t>();
  auto* slot = placed.slot.mutable_data_ptr<int64_t>();
  std::vector<int64_t> room = free_slots(expert, tokens, limits);
  for (int64_t i = 0; i < tokens; ++i) {
    const int64_t t = queue.const_data_ptr<int64_t>()[i];
    if (expert[t] >= 0) continue;
    int64_t* group_room = room.data() + t / (tokens / limits.groups) * limits.experts;
    const int64_t e = best_with_room(p.const_data_ptr<float>() + t * limits.experts, group_room, limits.experts);
    if (e < 0) continue;
    expert[t] = e;
    slot[t] = limits.capacity - group_room[e]--;
  }
  return {placed.expert.to(probs.device()), placed.slot.to(probs.device())};
}

}  // namespace

SlotLimits slot_limits(const RouterOptions& options, bool training, int64_t tokens, int64_t images, int64_t experts) {
  if (options.capacity_group == CapacityGroup::kNone) return {experts, 1, tokens};
  const int64_t groups = options.capacity_group == CapacityGroup::kImage ? images : 1;
  const double factor = training ? options.capacity_factor_train : options.capacity_factor_val;
  const int64_t length = groups > 0 ? tokens / groups : 0;  // no images, no tokens
  const double slots = std::ceil(factor * double(length) / double(experts));
  return {experts, groups, std::max<int64_t>(1, int64_t(slots))};
}

Assignment assign_by_confidence(const at::Tensor& probs, const SlotLimits& limits, DropPolicy policy) {
  const auto [confidence, expert] = probs.detach().max(1);
  const at::Tensor order = at::argsort(confidence, /*stable=*/true, 0, /*descending=*/true);
  const at::Tensor slot = queue_places(expert, order, limits);
  const Assignment first = drop_beyond_capacity(expert, slot, limits.capacity);
  if (policy == DropPolicy::kResidual) return first;
  return place_dropped(probs.detach(), order, limits, first);
}

Assignment assign_uniformly(int64_t tokens, const SlotLimits& limits, const at::Tensor& like) {
  const at::Tensor index = at::arange(tokens, like.options().dtype(at::kLong)).remainder(tokens / limits.groups);
  return drop_beyond_capacity(index.remainder(limits.experts), index.div(limits.experts, "floor"), limits.capacity);
}

}  // namespace moefb::trainer
