// What the optimisation loop sees of an optimiser.
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>

namespace moefb::trainer {

struct LearningRates {
  double backbone = 0;  ///< of everything but the routers
  double router = 0;
};

class Optimizer {
 public:
  virtual ~Optimizer() = default;

  /// Resets gradients to none, not to zero: the next step skips what then gets no gradient.
  virtual void zero_grad() = 0;
  virtual void step(const LearningRates& rates) = 0;

  /// What has to be saved besides the weights, by name.
  virtual std::map<std::string, at::Tensor> state() const = 0;
  /// Goes on from a saved state, wherever its tensors are; those of other names are left alone.
  virtual void set_state(const std::map<std::string, at::Tensor>& state) = 0;
};

}  // namespace moefb::trainer
