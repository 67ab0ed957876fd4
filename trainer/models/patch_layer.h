// One MoE layer of the patch network: every patch to one expert, then a dense block over the whole map
// (spec/patch-moe.md, section 6).
#pragma once

#include <torch/nn/module.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/normalization.h>

#include <memory>

#include "trainer/models/patch_dispatch.h"
#include "trainer/models/patch_gate.h"
#include "trainer/models/patch_grid.h"
#include "trainer/models/trace.h"

namespace moefb::trainer {

struct MoeLayerOptions {
  int64_t channels = 64;
  int64_t experts = 4;
  int64_t patch_side = 16;
  int64_t expert_kernel = 3;
  int64_t post_kernel = 3;
  bool crop_padding = false;
  RouterOptions router;
  DispatchKind dispatch = DispatchKind::kIndex;
};

class MoeLayer : public torch::nn::Module {
 public:
  /// @param group  the processes that train it; must outlive this
  explicit MoeLayer(const MoeLayerOptions& options, const Group& group = alone());

  struct Output {
    at::Tensor map;  ///< (B, C, H, W), H and W rounded up to whole patches unless the padding is cropped
    Routing routing;
  };

  /// @param map    (B, C, H, W)
  /// @param draws  null: noise is drawn from the default generator; else (T, E) uniform in [0, 1), undefined: none
  /// @param trace  null, or takes gate_pooled, gate_logits, positional, expert_y, merged, act and post
  /// @param held   null, or how the tokens are routed instead of by the gate
  Output forward(const at::Tensor& map, const RoutingPhase& phase, const at::Tensor* draws = nullptr,
                 Trace* trace = nullptr, const Routing* held = nullptr);

 private:
  /// (T, 18) of all images
  at::Tensor positions(const at::Tensor& map, const PatchGrid& grid) const;
  Routing route_tokens(const at::Tensor& map, const at::Tensor& tokens, const PatchGrid& grid,
                       const RoutingPhase& phase, const at::Tensor* draws, Trace* trace);
  /// (T, C, P, P): the tokens with gamma times what their experts say.
  at::Tensor add_answers(const at::Tensor& tokens, const Routing& routing, Trace* trace);
  at::Tensor post_process(const at::Tensor& merged, Trace* trace);
  /// The processes whose tokens are one batch: in evaluation each has batches of its own.
  const Group& group() const { return is_training() ? group_ : alone(); }

  const Group& group_;
  MoeLayerOptions options_;
  at::Tensor gamma_;
  ConvExperts experts_;
  torch::nn::GroupNorm merge_gn_{nullptr};
  std::shared_ptr<PatchGate> gate_;
  torch::nn::Conv2d post_conv_{nullptr};
  torch::nn::GroupNorm post_norm_{nullptr};
};

}  // namespace moefb::trainer
