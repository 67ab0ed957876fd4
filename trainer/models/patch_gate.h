// The gate of one MoE layer: scores of every expert for every patch (spec/patch-moe.md, section 3).
#pragma once

#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>

namespace moefb::trainer {

/// What a gate sees of its tokens: means and maxima over the pixels of all channels, those of the position included.
/// @param tokens     (T, C, P, P)
/// @param positions  (T, F)
/// @return (T, 2 (C + F)): C means, the position, C maxima, the position again
at::Tensor gate_features(const at::Tensor& tokens, const at::Tensor& positions);

class PatchGate : public torch::nn::Module {
 public:
  PatchGate(int64_t features, int64_t experts);

  /// (T, features) to (T, E): LayerNorm, linear, minus the mean over the experts.
  at::Tensor forward(const at::Tensor& features);

 private:
  torch::nn::LayerNorm norm_{nullptr};
  torch::nn::Linear linear_{nullptr};
};

}  // namespace moefb::trainer
