// The patch-routed network: MoE layers at four scales (spec/patch-moe.md, sections 1 and 6). State keys are the
// published ones.
#pragma once

#include <torch/nn/module.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>

#include <map>
#include <memory>
#include <vector>

#include "trainer/models/network.h"
#include "trainer/models/patch_config.h"
#include "trainer/models/patch_downsample.h"
#include "trainer/models/patch_layer.h"
#include "trainer/models/sync_batch_norm.h"
#include "trainer/models/trace.h"

namespace moefb::trainer {

/// Router noise given instead of drawn, by layer: (T, E) uniform in [0, 1). A layer that is absent gets none.
using RouterDraws = std::map<int64_t, at::Tensor>;

class PatchNet : public torch::nn::Module, public Network {
 public:
  /// @pre config.num_classes is set
  /// @param group  the processes that train it; must outlive this
  explicit PatchNet(const PatchNetConfig& config, DispatchKind dispatch = DispatchKind::kIndex,
                    const Group& group = alone());

  /// At first the routers are specialised, with the configured temperature, without noise; losses cost nothing.
  void set_phase(const RoutingPhase& phase, const RouterLossWeights& weights) override;
  const RoutingPhase& phase() const { return phase_; }

  using Network::run;
  /// In f32, whatever is asked for.
  NetworkOutput run(const at::Tensor& images, Precision) override { return forward(images); }
  NetworkOutput rerun(const at::Tensor& images, const NetworkOutput& routes) override {
    return forward(images, nullptr, nullptr, &routes);
  }
  torch::nn::Module& module() override { return *this; }

  /// @param images  (B, 3, H, W); with an identity stem (B, base_channels, H, W)
  /// @param draws   null: noise is drawn from the default generator
  /// @param trace   null, or takes every tensor that the fixtures name
  /// @param routes  null, or an answer for the same images whose routes are taken
  NetworkOutput forward(const at::Tensor& images, const RouterDraws* draws = nullptr, Trace* trace = nullptr,
                        const NetworkOutput* routes = nullptr);

 private:
  /// One of the two.
  struct Layer {
    std::shared_ptr<MoeLayer> moe;
    std::shared_ptr<DownsampleBlock> down;
  };

  void add_layers(const PatchNetConfig& config, DispatchKind dispatch, const Group& group);
  void add_stem(int64_t channels, const Group& group);
  at::Tensor run_stem(const at::Tensor& images);
  at::Tensor run_layer(int64_t index, const at::Tensor& map, const RouterDraws* draws, Trace* trace,
                       const NetworkOutput* routes, NetworkOutput& out);
  void add_losses(NetworkOutput& out, Trace* trace) const;

  RoutingPhase phase_;
  RouterLossWeights weights_;
  torch::nn::Conv2d stem_conv_{nullptr};  ///< null: identity
  std::shared_ptr<SyncBatchNorm2d> stem_norm_;
  std::vector<Layer> layers_;
  int64_t channels_ = 0;  ///< of the last layer
  torch::nn::Linear head_{nullptr};
};

}  // namespace moefb::trainer
