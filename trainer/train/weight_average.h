// An exponential moving average of the weights (Polyak and Juditsky 1992, in the form of TensorFlow's
// ExponentialMovingAverage): smoother than the weights that training itself moves, and often better.
#pragma once

#include <torch/nn/module.h>

#include <map>
#include <memory>
#include <string>

#include "trainer/train/optimizer.h"

namespace moefb::trainer {

/// After optimiser step t (from 0): average = d * average + (1 - d) * weights, d = min(decay, (1 + t) / (10 + t)). That
/// is TensorFlow's warm start (tf.train.ExponentialMovingAverage, `num_updates`): without it the random weights of the
/// beginning would last for 1 / (1 - decay) steps.
///
/// Floating-point buffers, the running statistics of BatchNorm, are averaged likewise, as by torchvision's training
/// reference (`use_buffers=True`) and timm's ModelEmaV3: copied ones would be the statistics of other weights than
/// those they normalise for. Integer buffers are copied.
class WeightAverage {
 public:
  /// Begins at the weights that `module`, which must outlive this, has now.
  WeightAverage(const torch::nn::Module& module, double decay);

  /// After an optimiser step.
  void update();

  /// Exchanges the averages and the module's own weights.
  void swap();

  /// What has to be saved, under names of its own.
  std::map<std::string, at::Tensor> state() const;
  /// Passes over tensors that are not its own. @throws std::runtime_error if one is missing or has another shape
  void set_state(const std::map<std::string, at::Tensor>& state);

 private:
  struct Pair {
    at::Tensor weights;  ///< the module's
    at::Tensor average;
  };

  double decay_;
  int64_t updates_ = 0;
  std::map<std::string, Pair> pairs_;
};

/// While it lives, the module has its averages for weights. @param average  null: nothing happens
class AveragedWeights {
 public:
  explicit AveragedWeights(WeightAverage* average) : average_(average) {
    if (average_) average_->swap();
  }
  ~AveragedWeights() {
    if (average_) average_->swap();
  }
  AveragedWeights(const AveragedWeights&) = delete;
  AveragedWeights& operator=(const AveragedWeights&) = delete;

 private:
  WeightAverage* average_;
};

/// An optimiser whose every step the average follows, and in whose state it is saved.
class AveragingOptimizer : public Optimizer {
 public:
  AveragingOptimizer(std::unique_ptr<Optimizer> optimizer, WeightAverage& average)
      : optimizer_(std::move(optimizer)), average_(average) {}

  void zero_grad() override { optimizer_->zero_grad(); }
  void step(const LearningRates& rates) override;
  std::map<std::string, at::Tensor> state() const override;
  void set_state(const std::map<std::string, at::Tensor>& state) override;

 private:
  std::unique_ptr<Optimizer> optimizer_;
  WeightAverage& average_;
};

}  // namespace moefb::trainer
