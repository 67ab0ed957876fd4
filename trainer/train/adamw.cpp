#include "trainer/train/adamw.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <cmath>
#include <stdexcept>

namespace moefb::trainer {
namespace {

const std::string kMeanPrefix = "mean.";
const std::string kSquarePrefix = "square.";
const std::string kStepsPrefix = "steps.";

}  // namespace

AdamW::AdamW(torch::nn::Module& module, const AdamWConfig& config, GroupRule rule) : config_(config) {
  for (const auto& item : module.named_parameters()) {
    parameters_.push_back({item.key(), item.value(), rule(item.key(), item.value())});
  }
}

void AdamW::zero_grad() {
  for (Parameter& parameter : parameters_) parameter.weights.mutable_grad() = at::Tensor();
}

void AdamW::step(const LearningRates& rates) {
  const at::NoGradGuard no_grad;
  for (Parameter& parameter : parameters_) {
    if (!parameter.weights.grad().defined()) continue;
    update(parameter, parameter.group == ParameterGroup::kRouter ? rates.router : rates.backbone);
  }
}

void AdamW::update(Parameter& parameter, double rate) {
  at::Tensor& weights = parameter.weights;
  const at::Tensor& gradient = weights.grad();
  Moments& moments = moments_[parameter.name];
  if (moments.steps == 0) {
    moments.mean = at::zeros_like(weights);
    moments.square = at::zeros_like(weights);
  }
  ++moments.steps;
  if (parameter.group == ParameterGroup::kDecay) weights.mul_(1 - rate * config_.weight_decay);
  moments.mean.mul_(config_.beta1).add_(gradient, 1 - config_.beta1);
  moments.square.mul_(config_.beta2).addcmul_(gradient, gradient, 1 - config_.beta2);
  const double mean_scale = 1 - std::pow(config_.beta1, double(moments.steps));
  const double square_scale = 1 - std::pow(config_.beta2, double(moments.steps));
  const at::Tensor deviation = (moments.square / square_scale).sqrt_().add_(config_.eps);
  weights.addcdiv_(moments.mean, deviation, -rate / mean_scale);
}

std::map<std::string, at::Tensor> AdamW::state() const {
  std::map<std::string, at::Tensor> state;
  for (const auto& [name, moments] : moments_) {
    state[kMeanPrefix + name] = moments.mean;
    state[kSquarePrefix + name] = moments.square;
    state[kStepsPrefix + name] = at::full({1}, moments.steps, at::kLong);
  }
  return state;
}

void AdamW::set_state(const std::map<std::string, at::Tensor>& state) {
  moments_.clear();
  for (const Parameter& parameter : parameters_) {
    const std::string& name = parameter.name;
    const auto steps = state.find(kStepsPrefix + name);
    if (steps == state.end()) continue;
    const auto mean = state.find(kMeanPrefix + name);
    const auto square = state.find(kSquarePrefix + name);
    if (mean == state.end() || square == state.end()) {
      throw std::runtime_error("the moments of parameter " + name + " are missing");
    }
    const auto like_weights = [&](const at::Tensor& saved) { return at::empty_like(parameter.weights).copy_(saved); };
    moments_[name] = {like_weights(mean->second), like_weights(square->second), steps->second.item<int64_t>()};
  }
}

}  // namespace moefb::trainer
