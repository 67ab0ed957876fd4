// AdamW with groups of parameters, as published (spec/patch-moe.md, section 8).
//
// Ours rather than torch::optim's because a run must save and restore its moments by parameter name.
#pragma once

#include <torch/nn/module.h>

#include <map>
#include <string>
#include <vector>

#include "trainer/train/optimizer.h"
#include "trainer/train/parameter_groups.h"

namespace moefb::trainer {

struct AdamWConfig {
  double beta1 = 0.9;
  double beta2 = 0.98;
  double eps = 1e-8;
  double weight_decay = 1e-3;  ///< of group kDecay
};

class AdamW : public Optimizer {
 public:
  /// What is kept of one parameter.
  struct Moments {
    at::Tensor mean;    ///< of the gradients, decaying with beta1
    at::Tensor square;  ///< of their squares, with beta2
    int64_t steps = 0;  ///< those in which this parameter had a gradient
  };

  /// @param module  whose parameters are updated; must outlive this
  AdamW(torch::nn::Module& module, const AdamWConfig& config, GroupRule rule = group_by_name);

  void zero_grad() override;

  /// w *= 1 - rate * decay; then w -= rate * mean' / (sqrt(square') + eps), with both moments corrected for their
  /// beginning at zero. Parameters without a gradient keep weight and moments, and their steps are not counted.
  /// The backbone's rate is that of groups kDecay and kNoDecay.
  void step(const LearningRates& rates) override;

  /// By parameter name; a parameter that never had a gradient has none.
  const std::map<std::string, Moments>& moments() const { return moments_; }
  void set_moments(std::map<std::string, Moments> moments) { moments_ = std::move(moments); }

  std::map<std::string, at::Tensor> state() const override;
  void set_state(const std::map<std::string, at::Tensor>& state) override;

 private:
  struct Parameter {
    std::string name;
    at::Tensor weights;
    ParameterGroup group;
  };
  void update(Parameter& parameter, double rate);

  AdamWConfig config_;
  std::vector<Parameter> parameters_;
  std::map<std::string, Moments> moments_;
};

}  // namespace moefb::trainer
