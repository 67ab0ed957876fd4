#include "trainer/train/sgd.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

namespace moefb::trainer {
namespace {

const std::string kMomentumPrefix = "momentum.";

}  // namespace

Sgd::Sgd(torch::nn::Module& module, const SgdConfig& config) : config_(config) {
  for (const auto& item : module.named_parameters()) parameters_.push_back({item.key(), item.value()});
}

void Sgd::zero_grad() {
  for (auto& parameter : parameters_) parameter.weights.mutable_grad() = at::Tensor();
}

void Sgd::step(double rate) {
  const at::NoGradGuard no_grad;
  for (auto& [name, weights] : parameters_) {
    const at::Tensor& gradient = weights.grad();
    if (!gradient.defined()) continue;
    weights.add_(update(name, gradient.add(weights, config_.weight_decay)), -rate);
  }
}

at::Tensor Sgd::update(const std::string& name, at::Tensor gradient) {
  if (config_.momentum == 0) return gradient;
  const auto [entry, is_new] = momentum_.try_emplace(name, gradient);
  at::Tensor& velocity = entry->second;
  if (is_new) {
    velocity = gradient.clone();
  } else {
    velocity.mul_(config_.momentum).add_(gradient);
  }
  return config_.nesterov ? gradient.add_(velocity, config_.momentum) : velocity;
}

std::map<std::string, at::Tensor> Sgd::state() const {
  std::map<std::string, at::Tensor> state;
  for (const auto& [name, velocity] : momentum_) state[kMomentumPrefix + name] = velocity;
  return state;
}

void Sgd::set_state(const std::map<std::string, at::Tensor>& state) {
  momentum_.clear();
  for (const auto& [name, weights] : parameters_) {
    const auto saved = state.find(kMomentumPrefix + name);
    if (saved != state.end()) momentum_[name] = at::empty_like(weights).copy_(saved->second);
  }
}

}  // namespace moefb::trainer
