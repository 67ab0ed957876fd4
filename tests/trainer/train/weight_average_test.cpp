#include "trainer/train/weight_average.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/nn/modules/batchnorm.h>

#include <algorithm>

#include "converter/temporary_folder.h"
#include "trainer/train/sgd.h"

namespace moefb::trainer {
namespace {

using testing::contains;
using testing::message_of;

constexpr double kDecay = 0.5;

/// A BatchNorm has everything that is averaged or copied: two parameters, two statistics, a counter.
class WeightAverageOf : public ::testing::Test {
 protected:
  void fill(double value) {
    const at::NoGradGuard no_grad;
    for (auto& parameter : norm_->parameters()) parameter.fill_(value);
    for (auto& buffer : norm_->buffers()) buffer.fill_(value);
  }
  std::map<std::string, double> values() const {
    std::map<std::string, double> values;
    for (const auto& item : norm_->named_parameters()) values[item.key()] = item.value()[0].item<double>();
    for (const auto& item : norm_->named_buffers()) values[item.key()] = item.value().flatten()[0].item<double>();
    return values;
  }

  torch::nn::BatchNorm2d norm_{1};
};

TEST_F(WeightAverageOf, FollowsTheFormulaWithItsWarmStart) {
  fill(1);
  WeightAverage average(*norm_, kDecay);
  double expected = 1;
  for (int step = 0; step < 20; ++step) {
    fill(step);
    average.update();
    const double decay = std::min(kDecay, (1.0 + step) / (10.0 + step));
    expected = decay * expected + (1 - decay) * step;
  }
  const AveragedWeights averaged(&average);
  for (const auto& [name, value] : values()) {
    if (name == "num_batches_tracked") {
      EXPECT_EQ(value, 19) << "a counter is copied";
    } else {
      EXPECT_NEAR(value, expected, 1e-5) << name;
    }
  }
}

TEST_F(WeightAverageOf, SwappingTwiceGivesTheSameBits) {
  fill(1.0 / 3);
  WeightAverage average(*norm_, kDecay);
  fill(1.0 / 7);
  average.update();
  const auto before = values();
  {
    const AveragedWeights averaged(&average);
    EXPECT_NE(values(), before);
  }
  EXPECT_EQ(values(), before);
  { const AveragedWeights none(nullptr); }
  EXPECT_EQ(values(), before);
}

TEST_F(WeightAverageOf, GoesOnFromItsStateWithTheSameBits) {
  WeightAverage whole(*norm_, 0.9), half(*norm_, 0.9);
  for (int step = 0; step < 3; ++step) {
    fill(1.0 / (3 + step));
    whole.update();
    half.update();
  }
  WeightAverage other(*norm_, 0.9);
  other.set_state(half.state());
  fill(5);
  whole.update();
  other.update();
  const auto expected = whole.state();
  for (const auto& [name, tensor] : other.state()) EXPECT_TRUE(tensor.equal(expected.at(name))) << name;
}

TEST_F(WeightAverageOf, RefusesAStateWithoutItOrOfAnotherShape) {
  WeightAverage average(*norm_, kDecay);
  EXPECT_TRUE(contains(message_of([&] { average.set_state({}); }), "was the run begun without train.ema?"));
  auto state = average.state();
  state["ema.weight"] = at::zeros({2});
  EXPECT_TRUE(contains(message_of([&] { average.set_state(state); }), "ema.weight: expected shape [1], found [2]"));
}

TEST_F(WeightAverageOf, TheOptimisersStateHoldsBoth) {
  WeightAverage average(*norm_, kDecay);
  AveragingOptimizer optimizer(std::make_unique<Sgd>(*norm_, SgdConfig{}), average);
  optimizer.zero_grad();
  norm_->weight.mutable_grad() = at::ones({1});
  optimizer.step({0.1, 0.1});
  const auto state = optimizer.state();
  EXPECT_TRUE(state.contains("momentum.weight"));
  EXPECT_TRUE(state.contains("ema.running_mean"));
  EXPECT_EQ(state.at("ema_updates").item<int64_t>(), 1);
  EXPECT_NE(state.at("ema.weight").item<float>(), 1.0f) << "the step was not followed";
}

}  // namespace
}  // namespace moefb::trainer
