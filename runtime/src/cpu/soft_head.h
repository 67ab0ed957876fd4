// All experts of a soft head as two matrix products over their concatenated weights.
//
//   hidden (T, E*H)      = act(src (T, D) * all first layers (D, E*H) + their biases)
//   scaled (T, E*H + E)  = every expert's columns times its probability, then the probabilities
//   dst    (T, C)        = scaled * [all second layers (E*H, C); their biases (E, C)]
//
// since the sum over e of p_e (W2_e h_e + b2_e) is one sum over all e and their hidden units.
// Source: spec/cifar-heads.md, section 5.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "cpu/op.h"
#include "graph/graph.h"
#include "plan/plan.h"

namespace moefb::cpu {

/// Packed for a model. The layers are linear ops like any others, so every kind of kernels can run them.
class SoftHead {
 public:
  /// @param moe      plan::is_two_products() holds
  /// @param max_rows tokens of the largest batch
  static Result<std::unique_ptr<SoftHead>> make(const graph::Graph& graph, const graph::MoE& moe, int64_t max_rows,
                                                std::span<const OpFactory> factories) noexcept;

  const Op& first() const noexcept { return *first_; }
  const Op& second() const noexcept { return *second_; }

 private:
  std::unique_ptr<Op> first_, second_;
};

/// Made ready for an executor.
class SoftHeadState {
 public:
  static Result<std::unique_ptr<SoftHeadState>> make(const SoftHead& head, const plan::MoeLayout& layout,
                                                     int threads) noexcept;

  /// @param src    (T, D)
  /// @param probs  (T, E)
  /// @param dst    (T, C), overwritten
  Status run(int64_t T, const float* src, const float* probs, std::byte* arena, float* dst,
             ThreadPool& threads) noexcept;

 private:
  explicit SoftHeadState(const plan::MoeLayout& layout) noexcept : layout_(layout) {}

  const plan::MoeLayout& layout_;
  std::unique_ptr<OpState> first_, second_;
};

}  // namespace moefb::cpu
