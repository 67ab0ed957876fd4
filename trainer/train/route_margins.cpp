#include "trainer/train/route_margins.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <limits>

namespace moefb::trainer {
namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();

/// @param scores  (T, E)
double top1_margin(const at::Tensor& scores, int64_t k) {
  if (k >= scores.size(1)) return kInfinite;
  const at::Tensor best = std::get<0>(scores.topk(k + 1, 1));
  return (best.select(1, k - 1) - best.select(1, k)).min().item<double>();
}

/// Smallest step from one value to the next in rows sorted downwards.
double smallest_step(const at::Tensor& sorted) {
  const int64_t count = sorted.size(-1);
  if (sorted.numel() == 0 || count < 2) return kInfinite;
  return (sorted.narrow(-1, 0, count - 1) - sorted.narrow(-1, 1, count - 1)).min().item<double>();
}

/// Tokens that lost their first choice queue by its probability, and each takes its next choices in turn: neither order
/// may be a close one.
/// @param probs  (L, E) of the tokens that lost
double second_choice_margin(const at::Tensor& probs) {
  const at::Tensor wishes = std::get<0>(probs.sort(/*dim=*/1, /*descending=*/true));
  const at::Tensor queue = std::get<0>(wishes.select(1, 0).sort(/*dim=*/0, /*descending=*/true));
  return std::min(smallest_step(queue), smallest_step(wishes));
}

/// @param probs   (T, E) of one capacity group
/// @param expert  (T) that took each token; -1: none
double capacity_margin(const at::Tensor& probs, const at::Tensor& expert) {
  const auto [probability, favourite] = probs.max(1);
  const at::Tensor lost = expert.ne(favourite);
  double margin = kInfinite;
  for (int64_t e = 0; e < probs.size(1); ++e) {
    const at::Tensor of_expert = favourite.eq(e);
    const at::Tensor kept = probability.masked_select(of_expert & ~lost);
    const at::Tensor dropped = probability.masked_select(of_expert & lost);
    if (kept.numel() == 0 || dropped.numel() == 0) continue;
    margin = std::min(margin, (kept.min() - dropped.max()).item<double>());
  }
  const bool second_choices = (lost & expert.ge(0)).any().item<bool>();
  return second_choices ? std::min(margin, second_choice_margin(probs.index({lost}))) : margin;
}

}  // namespace

RouteMargins route_margins(const NetworkOutput& out) {
  RouteMargins margins{kInfinite, kInfinite};
  if (out.head.topk_idx.defined()) margins.top1 = top1_margin(out.head.gate_scores, out.head.topk_idx.size(1));
  for (const LayerRouting& layer : out.routing) {
    const Routing& routing = layer.routing;
    margins.top1 = std::min(margins.top1, top1_margin(routing.scaled_logits, 1));
    const int64_t group = routing.probs.size(0) / routing.groups;
    for (int64_t first = 0; first < routing.probs.size(0); first += group) {
      margins.capacity = std::min(margins.capacity, capacity_margin(routing.probs.narrow(0, first, group),
                                                                    routing.expert.narrow(0, first, group)));
    }
  }
  return margins;
}

}  // namespace moefb::trainer
