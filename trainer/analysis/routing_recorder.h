// Listens to a network while it routes the pictures of a pass, and keeps what routing.json is made of.
#pragma once

#include <ATen/core/Tensor.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "trainer/analysis/count_table.h"
#include "trainer/analysis/layer_choices.h"
#include "trainer/models/network_config.h"
#include "trainer/train/patch_meter.h"
#include "trainer/train/routing_stats.h"

namespace moefb::trainer {

/// One layer over a whole pass.
struct RoutedLayer {
  LayerChoices choices;
  /// Means over the tokens: each expert's probability; entropy of the probabilities in nats (spec/cifar-heads.md, 12.1;
  /// of a patch network, of the softmax over its scores).
  std::vector<double> utilisation;
  double entropy = 0;
  std::vector<double> load;  ///< share of the tokens that each expert computed
  int64_t dropped = 0;       ///< tokens without an expert
  Rows class_mixture;        ///< heads: (classes, E) mean probabilities of each class's pictures; else empty
};

class RoutingRecorder {
 public:
  /// @pre has_experts(config)
  explicit RoutingRecorder(const NetworkConfig& config);

  /// Whether anything in such a network routes.
  static bool has_experts(const NetworkConfig& config);

  /// One batch. @param labels  (B) I64
  void add(const NetworkOutput& out, const at::Tensor& labels);

  /// Layer by layer, in order. @pre a batch was added
  std::vector<RoutedLayer> layers() const;

  /// Patch networks: what RouterMetrics says, under the published names, with all layers in `layers`; else null.
  nlohmann::ordered_json router_metrics() const;

 private:
  /// What one layer has done so far.
  struct Layer {
    explicit Layer(int64_t experts) : stats(experts) { choices.experts = experts; }
    void add(const at::Tensor& first, const at::Tensor& sureness, const at::Tensor& probs);

    LayerChoices choices;
    RoutingStats stats;
    std::vector<double> kept;  ///< (E) tokens of each expert of a patch network; empty: heads, where `stats` knows
  };

  void add_head(const HeadOutput& out);
  void add_patches(Layer& layer, const Routing& routing);

  int64_t classes_;
  double head_temperature_ = 1;
  std::vector<Layer> layers_;
  std::optional<PatchMeter> meter_;
  std::vector<at::Tensor> probs_, labels_;  ///< of a head, batch by batch
};

}  // namespace moefb::trainer
