#include "converter/margins.h"

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "converter/moefb_file.h"
#include "moefb/inspect.h"

namespace moefb::convert {
namespace {

constexpr float kInfinite = std::numeric_limits<float>::infinity();

template <typename T>
std::vector<T> read_trace(const Executor& executor, const std::string& name) {
  for (int i = 0; i < executor.trace_count(); ++i) {
    const TraceInfo info = executor.trace_info(i);
    if (name != info.name) continue;
    std::vector<T> values(static_cast<size_t>(info.shape.elements()));
    check(executor.read_trace(i, std::as_writable_bytes(std::span(values))), info.name);
    return values;
  }
  throw std::logic_error("the executor traces no \"" + name + "\"");
}

/// Smallest lead of the k-th over the next score in rows of E.
float top1_margin(const std::vector<float>& scores, int64_t E, int64_t k) {
  if (k >= E) return kInfinite;
  float margin = kInfinite;
  std::vector<float> row(static_cast<size_t>(E));
  for (auto begin = scores.begin(); begin != scores.end(); begin += E) {
    std::partial_sort_copy(begin, begin + E, row.begin(), row.end(), std::greater<>());
    margin = std::min(margin, row[size_t(k - 1)] - row[size_t(k)]);
  }
  return margin;
}

/// Smallest kept and largest dropped probability at each expert, within one capacity group.
class CapacityEdge {
 public:
  explicit CapacityEdge(int64_t E) : smallest_kept_(size_t(E), kInfinite), largest_dropped_(size_t(E), -kInfinite) {}

  void see(size_t expert, float probability, bool kept) {
    if (kept) {
      smallest_kept_[expert] = std::min(smallest_kept_[expert], probability);
    } else {
      largest_dropped_[expert] = std::max(largest_dropped_[expert], probability);
    }
  }
  float margin() const {
    float margin = kInfinite;
    for (size_t e = 0; e < smallest_kept_.size(); ++e)
      margin = std::min(margin, smallest_kept_[e] - largest_dropped_[e]);
    return margin;
  }

 private:
  std::vector<float> smallest_kept_;
  std::vector<float> largest_dropped_;
};

float capacity_margin(const Executor& executor, const RouterInfo& router, const std::string& prefix) {
  const std::vector<float> probs = read_trace<float>(executor, prefix + "probs");
  const std::vector<int64_t> assigned = read_trace<int64_t>(executor, prefix + "assigned_expert");
  const auto tokens = static_cast<int64_t>(assigned.size());
  const int64_t group = router.capacity_group == CapacityGroup::kImage ? router.tokens_per_image : tokens;
  float margin = kInfinite;
  for (int64_t first = 0; first < tokens; first += group) {
    CapacityEdge edge(router.experts);
    for (int64_t t = first; t < first + group; ++t) {
      const auto row = probs.begin() + t * router.experts;
      const auto best = std::max_element(row, row + router.experts);
      // Under second_choice a token can be kept elsewhere: its first choice dropped it all the same.
      edge.see(size_t(best - row), *best, assigned[size_t(t)] == best - row);
    }
    margin = std::min(margin, edge.margin());
  }
  return margin;
}

}  // namespace

float Margins::quality() const {
  return std::min(top1 / kMinTop1Margin, capacity / kMinCapacityMargin);
}

Margins measure_margins(const Executor& executor) {
  Margins margins{kInfinite, kInfinite};
  for (int i = 0; i < stage_count(executor.model()); ++i) {
    const StageInfo stage = stage_info(executor.model(), i);
    if (!stage.is_moe || stage.router.kind == "soft") continue;
    const bool patches = stage.router.kind == "patch top-1";
    const std::string prefix = patches ? "layer" + std::to_string(stage.published_layer) + "." : "";
    const std::vector<float> scores = read_trace<float>(executor, prefix + (patches ? "scaled_logits" : "gate_scores"));
    margins.top1 = std::min(margins.top1, top1_margin(scores, stage.router.experts, stage.router.top_k));
    if (patches) margins.capacity = std::min(margins.capacity, capacity_margin(executor, stage.router, prefix));
  }
  return margins;
}

}  // namespace moefb::convert
