// One MoE layer on the CPU: its router and its experts, packed for a model (MoeOp) and made ready for an executor
// (MoeState).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "buffer.h"
#include "cpu/pooled_router.h"
#include "cpu/slots.h"
#include "cpu/soft_head.h"
#include "cpu/step.h"
#include "cpu/tokens.h"
#include "graph/graph.h"
#include "kernels/routing/tiles.h"
#include "moefb/executor.h"
#include "plan/plan.h"

namespace moefb::cpu {

/// The router's weights, ready to use.
struct RouterWeights {
  std::optional<PooledRouter> pooled;  ///< where it pools patches; then the others are null
  Buffer<float> gate;                  ///< (features, E): packed for conv2d
  Buffer<float> gate_bias;             ///< (E); may be null
  Buffer<float> norm_weight;
  Buffer<float> norm_bias;
};

class MoeOp {
 public:
  /// Packs router and experts; `factories` are tried in order for every node of the experts' body.
  static Result<std::unique_ptr<MoeOp>> make(const graph::Graph& graph, const graph::MoE& moe, int64_t max_batch,
                                             std::span<const OpFactory> factories) noexcept;

  const graph::MoE& moe() const noexcept { return *moe_; }
  const Tokens& tokens() const noexcept { return tokens_; }
  const RouterWeights& router() const noexcept { return router_; }
  float gamma() const noexcept { return gamma_; }
  std::span<const Step> body() const noexcept { return body_; }
  /// Null but for a soft head that can run as two products.
  const SoftHead* soft_head() const noexcept { return soft_head_.get(); }
  /// Multiplications that one row costs an expert, to judge what is worth sharing among threads.
  int64_t row_products() const noexcept { return row_products_; }

 private:
  MoeOp(const graph::MoE& moe, const graph::Extent& input) noexcept
      : moe_(&moe), tokens_(input, moe.patch, moe.crop_padding) {}
  Status pack_router(const graph::Graph& graph) noexcept;
  Status pack_body(const graph::Graph& graph, int64_t max_rows, std::span<const OpFactory> factories) noexcept;

  const graph::MoE* moe_;
  Tokens tokens_;
  RouterWeights router_;
  float gamma_ = 1;
  std::vector<Step> body_;
  std::unique_ptr<SoftHead> soft_head_;
  int64_t row_products_ = 0;
};

/// Views into the arena for one run; extents in plan::MoeSizes.
struct MoeArrays {
  float* features;
  float* gate_logits;
  float* scores;
  float* probs;
  int32_t* chosen;
  float* weight;
  float* gate;
  int32_t* slot;
  int32_t* order;
  int32_t* position;
  int32_t* offsets;
  float* answers;
};

class MoeState {
 public:
  static Result<std::unique_ptr<MoeState>> make(const MoeOp& op, const plan::MoeLayout& layout,
                                                const ExecutorOptions& options, int threads) noexcept;

  /// @param src     (n, h, w, c) input map
  /// @param dst     (n, padded h, padded w, out channels)
  /// @param replay  (n * tokens, K) experts to use instead of the router's choice, or null
  Status run(int64_t n, const float* src, float* dst, std::byte* arena, const int32_t* replay,
             ThreadPool& threads) noexcept;

  const MoeOp& op() const noexcept { return *op_; }
  const plan::MoeLayout& layout() const noexcept { return *layout_; }
  CapacityGroup capacity_group() const noexcept { return capacity_group_; }
  std::span<const int64_t> expert_rows() const noexcept { return {expert_rows_.get(), size_t(layout_->sizes.E)}; }
  int64_t capacity(int64_t n) const noexcept;  ///< slots of one expert in a group, for a batch of n

 private:
  friend class Dispatcher;
  MoeState() = default;
  Status make_experts(int threads) noexcept;

  const MoeOp* op_ = nullptr;
  const plan::MoeLayout* layout_ = nullptr;
  Dispatch dispatch_ = Dispatch::kGrouped;
  CapacityGroup capacity_group_ = CapacityGroup::kBatch;
  // Either the experts' body or the soft head in one.
  std::vector<std::unique_ptr<OpState>> body_;
  std::unique_ptr<SoftHeadState> soft_head_;
  bool reentrant_ = true;                 ///< all of body_ is
  Buffer<kernels::routing::Tile> tiles_;  ///< (max_tiles) of kGrouped
  Slots slots_;                           ///< of threads that run tiles side by side
  Buffer<int64_t> expert_rows_;           ///< (E) rows computed in the last run
};

MoeArrays arrays(const plan::MoeLayout& layout, std::byte* arena) noexcept;

/// Slots of one expert in one capacity group, for a batch of n images.
int64_t group_capacity(const MoeOp& op, CapacityGroup group, int64_t n) noexcept;

/// Gate, scores, choice, capacity: fills everything of `a` up to `slot`.
void route(const MoeOp& op, CapacityGroup group, int64_t n, const float* src, const int32_t* replay, const MoeArrays& a,
           ThreadPool& threads) noexcept;

}  // namespace moefb::cpu
