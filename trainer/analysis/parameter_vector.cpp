#include "trainer/analysis/parameter_vector.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <stdexcept>

namespace moefb::trainer {
namespace {

void check_prefixes(const torch::nn::Module& module, const std::vector<std::string>& prefixes) {
  const auto names = module.named_parameters().keys();
  for (const std::string& prefix : prefixes) {
    if (std::ranges::any_of(names, [&](const std::string& name) { return name.starts_with(prefix); })) continue;
    throw std::runtime_error("--parameters " + prefix + ": no parameter's name begins so; the first is " +
                             names.front() + ", the last " + names.back());
  }
}

}  // namespace

ParameterVector::ParameterVector(const torch::nn::Module& module, const std::vector<std::string>& prefixes) {
  check_prefixes(module, prefixes);
  for (const auto& item : module.named_parameters()) {
    const auto begins = [&](const std::string& prefix) { return item.key().starts_with(prefix); };
    if (!prefixes.empty() && std::ranges::none_of(prefixes, begins)) continue;
    parameters_.push_back(item.value());
    size_ += item.value().numel();
  }
}

at::Tensor ParameterVector::join(const std::vector<at::Tensor>& tensors) const {
  std::vector<at::Tensor> flat;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const bool missing = !tensors[i].defined();
    flat.push_back(missing ? at::zeros({parameters_[i].numel()}, options()) : tensors[i].reshape(-1));
  }
  return at::cat(flat);
}

std::vector<at::Tensor> ParameterVector::split(const at::Tensor& vector) const {
  std::vector<at::Tensor> parts;
  int64_t offset = 0;
  for (const at::Tensor& parameter : parameters_) {
    parts.push_back(vector.narrow(0, offset, parameter.numel()).view(parameter.sizes()));
    offset += parameter.numel();
  }
  return parts;
}

DisplacedWeights::DisplacedWeights(const ParameterVector& vector) : vector_(vector) {
  for (const at::Tensor& parameter : vector.parameters()) original_.push_back(parameter.detach().clone());
}

DisplacedWeights::~DisplacedWeights() {
  const at::NoGradGuard no_grad;
  for (size_t i = 0; i < original_.size(); ++i) at::Tensor(vector_.parameters()[i]).copy_(original_[i]);
}

void DisplacedWeights::move_by(const at::Tensor& displacement) {
  const at::NoGradGuard no_grad;
  const std::vector<at::Tensor> parts = vector_.split(displacement);
  for (size_t i = 0; i < original_.size(); ++i) at::Tensor(vector_.parameters()[i]).copy_(original_[i] + parts[i]);
}

}  // namespace moefb::trainer
