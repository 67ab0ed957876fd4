// The smallest module with a parameter of each group: parameter_groups.h.
#pragma once

#include <ATen/ATen.h>
#include <torch/nn/module.h>

namespace moefb::trainer {

class ThreeWeights : public torch::nn::Module {
 public:
  ThreeWeights() {
    weight = register_parameter("weight", at::ones({1}));
    gate = register_parameter("gate_weight", at::ones({1}));
    matrix = register_parameter("matrix", at::ones({1, 1}));
  }
  at::Tensor weight, gate, matrix;
};

inline void set_gradient(at::Tensor& weight, double value) {
  weight.mutable_grad() = at::full(weight.sizes(), value);
}

}  // namespace moefb::trainer
