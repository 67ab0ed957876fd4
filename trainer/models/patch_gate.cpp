#include "trainer/models/patch_gate.h"

#include <ATen/ATen.h>
#include <torch/nn/init.h>

namespace moefb::trainer {

at::Tensor gate_features(const at::Tensor& tokens, const at::Tensor& positions) {
  // The published position channels are constant over the patch: mean and maximum are the values themselves.
  return at::cat({tokens.mean({2, 3}), positions, tokens.amax({2, 3}), positions}, 1);
}

PatchGate::PatchGate(int64_t features, int64_t experts) {
  const auto mlp = register_module("mlp", std::make_shared<torch::nn::Module>());
  norm_ = mlp->register_module("0", torch::nn::LayerNorm(torch::nn::LayerNormOptions({features})));
  linear_ = mlp->register_module("1", torch::nn::Linear(features, experts));
  torch::nn::init::xavier_uniform_(linear_->weight);
  torch::nn::init::zeros_(linear_->bias);
}

at::Tensor PatchGate::forward(const at::Tensor& features) {
  const at::Tensor scores = linear_->forward(norm_->forward(features));
  return scores - scores.mean(1, /*keepdim=*/true);
}

}  // namespace moefb::trainer
