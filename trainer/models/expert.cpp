#include "trainer/models/expert.h"

#include <ATen/ops/relu.h>
#include <ATen/ops/stack.h>

namespace moefb::trainer {

Expert::Expert(const ModelConfig& config, std::string name)
    : dropout_p_(config.dropout_p), mask_name_(std::move(name) + ".net.2") {
  const auto net = register_module("net", std::make_shared<torch::nn::Module>());
  first_ = net->register_module("0", torch::nn::Linear(config.in_dim, config.hidden()));
  // Published as a list of modules: without dropout the list is one shorter.
  second_ = net->register_module(dropout_p_ > 0 ? "3" : "2", torch::nn::Linear(config.hidden(), config.num_classes));
}

at::Tensor Expert::forward(const at::Tensor& features, const Draws* draws, const BatchRows& of_all) {
  const at::Tensor hidden = at::relu(first_->forward(features));
  return second_->forward(dropout(hidden, dropout_p_, is_training(), draws, mask_name_, of_all));
}

Experts register_experts(torch::nn::Module& head, const ModelConfig& config) {
  const auto list = head.register_module("experts", std::make_shared<torch::nn::Module>());
  Experts experts;
  for (int64_t e = 0; e < config.num_experts; ++e) {
    const std::string index = std::to_string(e);
    experts.push_back(list->register_module(index, std::make_shared<Expert>(config, "experts." + index)));
  }
  return experts;
}

at::Tensor run_all_experts(const Experts& experts, const at::Tensor& features, const Draws* draws,
                           const BatchRows& of_all) {
  std::vector<at::Tensor> outputs;
  for (const auto& expert : experts) outputs.push_back(expert->forward(features, draws, of_all));
  return at::stack(outputs, 1);
}

}  // namespace moefb::trainer
