#include "apps/moe-infer/routing.h"

#include <algorithm>
#include <numeric>
#include <string>

#include "apps/moe-infer/trace.h"
#include "moefb/inspect.h"

namespace moefb::infer {
namespace {

/// Weight of each expert if it is chosen. Under the rule `gate` a single choice counts with its probability before the
/// mask, which the trace does not hold.
std::vector<float> expert_weights(const Executor& executor, const RouterInfo& router) {
  if (router.combine != "gate" || router.top_k != 1) return trace_values<float>(executor, "probs");
  std::vector<float> weights = trace_values<float>(executor, "gate_scores");
  for (float& w : weights) w /= router.temperature;
  softmax(weights, weights);
  return weights;
}

std::vector<int64_t> by_weight(const std::vector<float>& weights) {
  std::vector<int64_t> order(weights.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int64_t a, int64_t b) { return weights[size_t(a)] > weights[size_t(b)]; });
  return order;
}

std::vector<ExpertShare> head_experts(const Executor& executor, const RouterInfo& router) {
  const std::vector<float> weights = expert_weights(executor, router);
  const std::vector<int64_t> chosen =
      router.kind == "soft" ? by_weight(weights) : trace_values<int64_t>(executor, "topk_idx");
  std::vector<ExpertShare> experts;
  for (const int64_t e : chosen) experts.push_back({static_cast<int>(e), weights[size_t(e)]});
  return experts;
}

LayerLoad layer_load(const Executor& executor, int published_layer) {
  const std::string prefix = "layer" + std::to_string(published_layer) + ".";
  LayerLoad load;
  load.layer = published_layer;
  load.capacity = trace_values<int64_t>(executor, prefix + "capacity").at(0);
  load.tokens = trace_values<int64_t>(executor, prefix + "tokens_per_expert");
  const std::vector<uint8_t> kept = trace_values<uint8_t>(executor, prefix + "kept");
  load.dropped = std::count(kept.begin(), kept.end(), uint8_t{0});
  return load;
}

}  // namespace

Routing read_routing(const Executor& executor) {
  const Model& model = executor.model();
  Routing routing;
  for (int i = 0; i < stage_count(model); ++i) {
    const StageInfo stage = stage_info(model, i);
    if (!stage.is_moe) continue;
    if (stage.published_layer < 0) {
      routing.experts = head_experts(executor, stage.router);
    } else {
      routing.layers.push_back(layer_load(executor, stage.published_layer));
    }
  }
  return routing;
}

}  // namespace moefb::infer
