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

/// @param probs    (T, E) of one capacity group
/// @param dropped  (T) bool
double capacity_margin(const at::Tensor& probs, const at::Tensor& dropped) {
  const auto [probability, favourite] = probs.max(1);
  double margin = kInfinite;
  for (int64_t e = 0; e < probs.size(1); ++e) {
    const at::Tensor of_expert = favourite.eq(e);
    const at::Tensor kept = probability.masked_select(of_expert & ~dropped);
    const at::Tensor lost = probability.masked_select(of_expert & dropped);
    if (kept.numel() == 0 || lost.numel() == 0) continue;
    margin = std::min(margin, (kept.min() - lost.max()).item<double>());
  }
  return margin;
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
                                                                    routing.expert.narrow(0, first, group).lt(0)));
    }
  }
  return margins;
}

}  // namespace moefb::trainer
