// The update itself is golden_trainer_test's; here what two published steps do not show.
#include "trainer/train/adamw.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "trainer/train/three_weights.h"

namespace moefb::trainer {
namespace {

TEST(AdamW, DecaysApartFromTheGradientAndCorrectsBothMoments) {
  ThreeWeights module;
  const AdamWConfig config = {0.9, 0.98, 1e-8, 0.5};
  AdamW optimiser(module, config);
  double weight = 1, mean = 0, square = 0;
  int t = 0;
  for (const double gradient : {2.0, -1.0, 0.5, 0.25}) {
    set_gradient(module.weight, gradient);
    optimiser.step({0.1, 0});
    ++t;
    mean = 0.9 * mean + 0.1 * gradient;
    square = 0.98 * square + 0.02 * gradient * gradient;
    weight *= 1 - 0.1 * 0.5;
    weight -= 0.1 * (mean / (1 - std::pow(0.9, t))) / (std::sqrt(square / (1 - std::pow(0.98, t))) + 1e-8);
    EXPECT_NEAR(module.weight.item<double>(), weight, 1e-6);
  }
}

TEST(AdamW, CountsOnlyStepsWithAGradient) {
  ThreeWeights module;
  AdamW optimiser(module, {});
  set_gradient(module.weight, 1);
  optimiser.step({0.1, 0.1});
  const double after_one = module.weight.item<double>();
  optimiser.zero_grad();
  EXPECT_FALSE(module.weight.grad().defined());
  optimiser.step({0.1, 0.1});
  EXPECT_EQ(module.weight.item<double>(), after_one);  // no decay either
  EXPECT_EQ(optimiser.moments().at("weight").steps, 1);
  EXPECT_FALSE(optimiser.moments().contains("matrix"));
}

TEST(AdamW, RoutersHaveTheirOwnRateAndNoDecay) {
  ThreeWeights module;
  AdamW optimiser(module, {0.9, 0.98, 1e-8, 0.5});
  set_gradient(module.weight, 1);
  set_gradient(module.gate, 1);
  optimiser.step({0, 0.1});
  EXPECT_EQ(module.weight.item<double>(), 1);
  EXPECT_NEAR(module.gate.item<double>(), 0.9, 1e-6);  // the first step is the rate itself
}

TEST(AdamW, GoesOnFromSavedMoments) {
  ThreeWeights straight, resumed;
  AdamW first(straight, {}), before(resumed, {});
  const auto step = [](ThreeWeights& module, AdamW& optimiser, double gradient) {
    set_gradient(module.weight, gradient);
    optimiser.step({0.1, 0.1});
  };
  step(straight, first, 1);
  step(straight, first, -0.3);
  step(resumed, before, 1);
  AdamW after(resumed, {});
  after.set_moments(before.moments());
  step(resumed, after, -0.3);
  EXPECT_TRUE(resumed.weight.equal(straight.weight));
}

}  // namespace
}  // namespace moefb::trainer
