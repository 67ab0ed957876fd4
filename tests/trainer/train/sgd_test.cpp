// Plain momentum is golden_trainer_test's; here what the published steps do not show.
#include "trainer/train/sgd.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace moefb::trainer {
namespace {

class TwoWeights : public torch::nn::Module {
 public:
  TwoWeights() {
    used = register_parameter("used", at::ones({1}));
    idle = register_parameter("idle", at::ones({1}));
  }
  at::Tensor used, idle;
};

void set_gradient(at::Tensor& weight, double value) {
  weight.mutable_grad() = at::full({1}, value);
}

TEST(Sgd, NesterovLooksAhead) {
  TwoWeights module;
  Sgd sgd(module, {/*momentum=*/0.5, /*weight_decay=*/0.1, /*nesterov=*/true});
  double weight = 1, velocity = 0;
  for (const double gradient : {2.0, -1.0, 0.5}) {
    set_gradient(module.used, gradient);
    sgd.step(0.1);
    const double d = gradient + 0.1 * weight;
    velocity = 0.5 * velocity + d;
    weight -= 0.1 * (d + 0.5 * velocity);
    EXPECT_NEAR(module.used.item<double>(), weight, 1e-6);
  }
}

TEST(Sgd, SkipsParametersWithoutAGradient) {
  TwoWeights module;
  Sgd sgd(module, {});
  set_gradient(module.used, 1);
  set_gradient(module.idle, 1);
  sgd.step(0.1);
  const double after_one = module.idle.item<double>();
  const double velocity = sgd.momentum().at("idle").item<double>();
  sgd.zero_grad();
  set_gradient(module.used, 1);
  sgd.step(0.1);
  EXPECT_EQ(module.idle.item<double>(), after_one);  // neither momentum nor decay
  EXPECT_EQ(sgd.momentum().at("idle").item<double>(), velocity);
}

TEST(Sgd, ZeroGradLeavesNoGradient) {
  TwoWeights module;
  Sgd sgd(module, {});
  set_gradient(module.used, 1);
  sgd.zero_grad();
  EXPECT_FALSE(module.used.grad().defined());
}

}  // namespace
}  // namespace moefb::trainer
