// Router metrics of patch networks: how evenly, how fully and how surely a router used its experts. One implementation
// for training, evaluation and the runtime's routing trace.
//
// Source: docs/spec/patch-moe.md, section 10. N tokens of a batch, E experts of a layer. All sums are float64.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "moefb/executor.h"
#include "moefb/export.h"
#include "moefb/model.h"
#include "moefb/result.h"

namespace moefb {

/// What the router of one layer did with one batch. Views: read during RouterMetrics::add(), not kept.
struct RoutedBatch {
  std::span<const float> scaled_logits;      ///< (N, E) after temperature, clamp and, in training, noise
  std::span<const int64_t> assigned_expert;  ///< (N); -1 where a token was dropped
  std::span<const float> combine_weight;     ///< (N); ignored where a token was dropped
  /// Slots of each expert in this batch. Capacity group `image`: summed over the images; `none`: N.
  int64_t capacity = 0;
  /// Standard deviation (divisor NE - 1) of the logits before noise; nothing: `scaled_logits` are without noise.
  std::optional<double> logits_std;
};

/// One layer over all batches so far. A layer without traffic has 0 in all ratios, E dead experts, 0 active.
struct LayerMetrics {
  std::span<const double> usage;  ///< (E) tokens kept by each expert; lives as long as the RouterMetrics
  double tokens = 0;
  double dropped = 0;
  double capacity = 0;  ///< slots of each expert, summed over the batches
  double drop_rate = 0;
  double capacity_efficiency = 0;
  double entropy_norm = 0;  ///< of the usage, over ln E; 0 for E = 1
  double cov_usage = 0;
  double gini = 0;
  double imbalance = 0;
  double mean_capacity_ratio = 0;
  double avg_gate = 0;
  double dead = 0;
  double active = 0;
  double spec_entropy = 0;  ///< of each token's probabilities, over ln E; 0 for E = 1
  double spec_entropy_ema = 0;
  double logits_std = 0;
  double logits_std_ema = 0;
};

/// What `imbalance_max` and `imbalance_min` mean.
enum class ImbalanceNames : uint8_t {
  kPublished,  ///< swapped, as in the published code: `_max` is the smallest layer's value, `_min` the largest
  kCorrected,  ///< `_max` is the largest
};

struct NamedMetric {
  const char* name = "";  ///< as published: "drop_rate", "entropy_norm_mean", ...
  double value = 0;
};
inline constexpr size_t kRouterMetricCount = 19;
using RouterSummary = std::array<NamedMetric, kRouterMetricCount>;

/// Sums over the batches of one pass, layer by layer.
class RouterMetrics {
 public:
  /// @param experts  of each MoE layer, in order; layers without experts are left out
  /// @return kInvalidArgument  a layer with fewer than one expert; kOutOfMemory
  MOEFB_EXPORT static Result<RouterMetrics> create(std::span<const int> experts) noexcept;
  /// For the MoE layers of a model, in execution order.
  /// @return kUnsupported  not a patch network; kOutOfMemory
  MOEFB_EXPORT static Result<RouterMetrics> create(const Model& model) noexcept;

  /// Adds one batch of one layer. Each pass of a batch through the network adds it to every layer once.
  /// @param layer  0 to layers() - 1
  /// @return kInvalidArgument  no such layer, sizes that do not fit together, no tokens, an expert out of range,
  ///         a capacity below 1; nothing was counted
  MOEFB_EXPORT Status add(int layer, const RoutedBatch& batch) noexcept;
  /// Adds the last run of an executor to every layer.
  /// @param executor  of the model that create() was given, with Trace::kRouting or kAll
  /// @return kInvalidArgument  another model, no traced run; kOutOfMemory. Nothing was counted.
  MOEFB_EXPORT Status add(const Executor& executor) noexcept;

  int layers() const noexcept { return layers_; }
  MOEFB_EXPORT LayerMetrics layer(int index) const noexcept;
  /// All layers together, under the published names and in the order of the specification.
  MOEFB_EXPORT RouterSummary summary(ImbalanceNames names = ImbalanceNames::kPublished) const noexcept;

  /// Everything counted so far as plain numbers: to save in the middle of a pass, or to add up over processes (but for
  /// the two running means of each layer, which depend on the order of batches).
  std::span<const double> sums() const noexcept { return {sums_.get(), sum_count_}; }
  /// Goes on from saved sums. @return kInvalidArgument  not as many as sums() has
  MOEFB_EXPORT Status set_sums(std::span<const double> sums) noexcept;
  MOEFB_EXPORT void reset() noexcept;

 private:
  struct Layer;
  RouterMetrics() = default;
  Layer at(int index) const noexcept;
  double quantile(double fraction) const noexcept;

  int layers_ = 0;
  std::unique_ptr<int[]> experts_;  ///< (layers)
  size_t sum_count_ = 0;
  std::unique_ptr<double[]> sums_;  ///< the histogram of combine weights, then each layer's sums
};

}  // namespace moefb
