// Which parameters an optimiser treats alike (spec/patch-moe.md, sections 8 and 9).
#pragma once

#include <torch/nn/module.h>

#include <cstdint>
#include <string>
#include <vector>

namespace moefb::trainer {

enum class ParameterGroup : uint8_t {
  kDecay,    ///< with weight decay
  kNoDecay,  ///< without
  kRouter,   ///< without, at a learning rate and a clipping norm of its own
};

/// The group of a parameter, from its state key and its weights.
using GroupRule = ParameterGroup (*)(const std::string& name, const at::Tensor& weights);

/// Of the patch network, by name: `gate` or `router` in it, `.bias` at its end, the rest. So norm weights and gamma are
/// decayed, as published.
ParameterGroup group_by_name(const std::string& name, const at::Tensor& weights);

/// Of the ResNet-18 baseline: one dimension or none is not decayed.
ParameterGroup group_by_rank(const std::string& name, const at::Tensor& weights);

/// The parameters of the routers, or all others.
std::vector<at::Tensor> router_parameters(const torch::nn::Module& module);
std::vector<at::Tensor> backbone_parameters(const torch::nn::Module& module);

/// Frozen routers get no gradients at all.
void freeze_routers(torch::nn::Module& module, bool frozen);

/// Scales all gradients by min(1, max_norm / (norm + 1e-6)), where `norm` is that of all of them as one vector.
/// @return the norm before; 0 if there is no gradient
double clip_gradients(const std::vector<at::Tensor>& parameters, double max_norm);

}  // namespace moefb::trainer
