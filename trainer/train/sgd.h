// Stochastic gradient descent with momentum, as published (spec/cifar-heads.md, section 9).
//
// Ours rather than torch::optim's because a run must save and restore its buffers by parameter name.
#pragma once

#include <torch/nn/module.h>

#include <map>
#include <string>
#include <vector>

namespace moefb::trainer {

struct SgdConfig {
  double momentum = 0.9;
  double weight_decay = 5e-4;  ///< on every parameter, BatchNorm and biases included
  bool nesterov = false;
};

class Sgd {
 public:
  /// @param module  whose parameters are updated; must outlive this
  Sgd(torch::nn::Module& module, const SgdConfig& config);

  /// Resets gradients to none, not to zero: the next step skips what then gets no gradient.
  void zero_grad();

  /// d = grad + decay * w; v = d at first, then momentum * v + d; w -= rate * v (Nesterov: rate * (d + momentum * v)).
  /// Parameters without a gradient keep weight and momentum.
  void step(double rate);

  /// v by parameter name; a parameter that never had a gradient has none.
  const std::map<std::string, at::Tensor>& momentum() const { return momentum_; }
  void set_momentum(std::map<std::string, at::Tensor> momentum) { momentum_ = std::move(momentum); }

 private:
  struct Parameter {
    std::string name;
    at::Tensor weights;
  };
  /// v after this step, as the update for one parameter
  at::Tensor update(const std::string& name, at::Tensor gradient);

  SgdConfig config_;
  std::vector<Parameter> parameters_;
  std::map<std::string, at::Tensor> momentum_;
};

}  // namespace moefb::trainer
