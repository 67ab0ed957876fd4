#include "trainer/train/weight_average.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <sstream>
#include <stdexcept>

namespace moefb::trainer {
namespace {

const std::string kPrefix = "ema.";
const std::string kUpdates = "ema_updates";

const at::Tensor& need(const std::map<std::string, at::Tensor>& state, const std::string& name) {
  const auto found = state.find(name);
  if (found != state.end()) return found->second;
  throw std::runtime_error("the averaged weights lack " + name + ": was the run begun without train.ema?");
}

void fill(at::Tensor& average, const at::Tensor& saved, const std::string& name) {
  if (saved.sizes() != average.sizes()) {
    std::ostringstream text;
    text << "the averaged weights: " << name << ": expected shape " << average.sizes() << ", found " << saved.sizes();
    throw std::runtime_error(text.str());
  }
  average.copy_(saved);
}

}  // namespace

WeightAverage::WeightAverage(const torch::nn::Module& module, double decay) : decay_(decay) {
  const auto add = [this](const std::string& name, const at::Tensor& weights) {
    pairs_[name] = {weights, weights.detach().clone()};
  };
  for (const auto& item : module.named_parameters()) add(item.key(), item.value());
  for (const auto& item : module.named_buffers()) add(item.key(), item.value());
}

void WeightAverage::update() {
  const at::NoGradGuard no_grad;
  const double warm = double(1 + updates_) / double(10 + updates_);
  const double decay = std::min(decay_, warm);
  ++updates_;
  for (auto& [name, pair] : pairs_) {
    if (pair.weights.is_floating_point()) {
      pair.average.lerp_(pair.weights, 1 - decay);
    } else {
      pair.average.copy_(pair.weights);
    }
  }
}

void WeightAverage::swap() {
  const at::NoGradGuard no_grad;
  for (auto& [name, pair] : pairs_) {
    const at::Tensor weights = pair.weights.clone();
    pair.weights.copy_(pair.average);
    pair.average.copy_(weights);
  }
}

std::map<std::string, at::Tensor> WeightAverage::state() const {
  std::map<std::string, at::Tensor> state = {{kUpdates, at::tensor({updates_}, at::kLong)}};
  for (const auto& [name, pair] : pairs_) state[kPrefix + name] = pair.average;
  return state;
}

void WeightAverage::set_state(const std::map<std::string, at::Tensor>& state) {
  updates_ = need(state, kUpdates).item<int64_t>();
  for (auto& [name, pair] : pairs_) fill(pair.average, need(state, kPrefix + name), kPrefix + name);
}

void AveragingOptimizer::step(const LearningRates& rates) {
  optimizer_->step(rates);
  average_.update();
}

std::map<std::string, at::Tensor> AveragingOptimizer::state() const {
  std::map<std::string, at::Tensor> state = optimizer_->state();
  state.merge(average_.state());
  return state;
}

void AveragingOptimizer::set_state(const std::map<std::string, at::Tensor>& state) {
  optimizer_->set_state(state);
  average_.set_state(state);
}

}  // namespace moefb::trainer
