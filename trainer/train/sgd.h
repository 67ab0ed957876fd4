// Stochastic gradient descent with momentum, as published (spec/cifar-heads.md, section 9).
//
// Ours rather than torch::optim's because a run must save and restore its buffers by parameter name.
#pragma once

#include <torch/nn/module.h>

#include <map>
#include <string>
#include <vector>

#include "trainer/train/optimizer.h"

namespace moefb::trainer {

struct SgdConfig {
  double momentum = 0.9;
  double weight_decay = 5e-4;  ///< on every parameter, BatchNorm and biases included
  bool nesterov = false;
};

class Sgd : public Optimizer {
 public:
  /// @param module  whose parameters are updated; must outlive this
  Sgd(torch::nn::Module& module, const SgdConfig& config);

  void zero_grad() override;

  /// d = grad + decay * w; v = d at first, then momentum * v + d; w -= rate * v (Nesterov: rate * (d + momentum * v)).
  /// Parameters without a gradient keep weight and momentum.
  void step(double rate);
  /// At the backbone's rate throughout.
  void step(const LearningRates& rates) override { step(rates.backbone); }

  /// v by parameter name; a parameter that never had a gradient has none.
  const std::map<std::string, at::Tensor>& momentum() const { return momentum_; }
  void set_momentum(std::map<std::string, at::Tensor> momentum) { momentum_ = std::move(momentum); }

  std::map<std::string, at::Tensor> state() const override;
  void set_state(const std::map<std::string, at::Tensor>& state) override;

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
