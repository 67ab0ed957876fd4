#include "trainer/train/parameter_groups.h"

#include <ATen/ATen.h>

#include <algorithm>

namespace moefb::trainer {
namespace {

constexpr double kClipEps = 1e-6;

std::vector<at::Tensor> parameters_of(const torch::nn::Module& module, bool routers) {
  std::vector<at::Tensor> parameters;
  for (const auto& item : module.named_parameters()) {
    const bool is_router = group_by_name(item.key(), item.value()) == ParameterGroup::kRouter;
    if (is_router == routers) parameters.push_back(item.value());
  }
  return parameters;
}

}  // namespace

ParameterGroup group_by_name(const std::string& name, const at::Tensor&) {
  const auto has = [&name](const char* word) { return name.find(word) != std::string::npos; };
  if (has("gate") || has("router")) return ParameterGroup::kRouter;
  return name.ends_with(".bias") ? ParameterGroup::kNoDecay : ParameterGroup::kDecay;
}

ParameterGroup group_by_rank(const std::string&, const at::Tensor& weights) {
  return weights.dim() <= 1 ? ParameterGroup::kNoDecay : ParameterGroup::kDecay;
}

std::vector<at::Tensor> router_parameters(const torch::nn::Module& module) {
  return parameters_of(module, /*routers=*/true);
}

std::vector<at::Tensor> backbone_parameters(const torch::nn::Module& module) {
  return parameters_of(module, /*routers=*/false);
}

void freeze_routers(torch::nn::Module& module, bool frozen) {
  for (at::Tensor& parameter : router_parameters(module)) parameter.set_requires_grad(!frozen);
}

double clip_gradients(const std::vector<at::Tensor>& parameters, double max_norm) {
  std::vector<at::Tensor> gradients, norms;
  for (const at::Tensor& parameter : parameters) {
    if (!parameter.grad().defined()) continue;
    gradients.push_back(parameter.grad());
    norms.push_back(parameter.grad().norm());
  }
  if (gradients.empty()) return 0;
  const double norm = at::stack(norms).norm().item<double>();
  const double scale = std::min(1.0, max_norm / (norm + kClipEps));
  if (scale < 1) {
    for (at::Tensor& gradient : gradients) gradient.mul_(scale);
  }
  return norm;
}

}  // namespace moefb::trainer
