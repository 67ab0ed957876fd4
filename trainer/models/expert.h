// One expert of the heads: Linear, ReLU, Dropout, Linear (spec/cifar-heads.md, section 4).
#pragma once

#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>

#include <string>
#include <vector>

#include "trainer/models/draws.h"
#include "trainer/models/model_config.h"

namespace moefb::trainer {

class Expert : public torch::nn::Module {
 public:
  Expert(const ModelConfig& config, std::string name);

  /// (rows, in_dim) to (rows, C). @param draws  see Draws; the mask is named "<name>.net.2"
  /// @param of_all  where these rows stand among those that the expert gets on all processes
  at::Tensor forward(const at::Tensor& features, const Draws* draws, const BatchRows& of_all);

 private:
  double dropout_p_;
  std::string mask_name_;
  torch::nn::Linear first_{nullptr};
  torch::nn::Linear second_{nullptr};
};

using Experts = std::vector<std::shared_ptr<Expert>>;

/// Adds the child `experts` to a head.
Experts register_experts(torch::nn::Module& head, const ModelConfig& config);

/// (B, E, C): every expert on every row.
at::Tensor run_all_experts(const Experts& experts, const at::Tensor& features, const Draws* draws,
                           const BatchRows& of_all);

}  // namespace moefb::trainer
