#include "trainer/train/parameter_groups.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "trainer/train/three_weights.h"

namespace moefb::trainer {
namespace {

TEST(ParameterGroups, FollowThePublishedNames) {
  const at::Tensor any = at::empty({1});
  EXPECT_EQ(group_by_name("layers.0.router_gate.mlp.0.bias", any), ParameterGroup::kRouter);
  EXPECT_EQ(group_by_name("layers.0.merge_gn.bias", any), ParameterGroup::kNoDecay);
  EXPECT_EQ(group_by_name("layers.0.merge_gn.weight", any), ParameterGroup::kDecay);
  EXPECT_EQ(group_by_name("layers.0.gamma", any), ParameterGroup::kDecay);
}

TEST(ParameterGroups, ByRankOnlyMatricesAndKernelsDecay) {
  EXPECT_EQ(group_by_rank("bn1.weight", at::empty({4})), ParameterGroup::kNoDecay);
  EXPECT_EQ(group_by_rank("fc.weight", at::empty({4, 4})), ParameterGroup::kDecay);
}

TEST(ParameterGroups, FrozenRoutersAskForNoGradient) {
  ThreeWeights module;
  freeze_routers(module, true);
  EXPECT_FALSE(module.gate.requires_grad());
  EXPECT_TRUE(module.weight.requires_grad());
  freeze_routers(module, false);
  EXPECT_TRUE(module.gate.requires_grad());
}

TEST(ClipGradients, ScalesAllTogetherAndOnlyDown) {
  ThreeWeights module;
  const std::vector<at::Tensor> parameters = module.parameters();
  EXPECT_EQ(clip_gradients(parameters, 1.0), 0);
  set_gradient(module.weight, 3);
  set_gradient(module.matrix, 4);
  EXPECT_NEAR(clip_gradients(parameters, 10), 5, 1e-6);
  EXPECT_EQ(module.weight.grad().item<double>(), 3);
  EXPECT_NEAR(clip_gradients(parameters, 0.5), 5, 1e-6);
  EXPECT_NEAR(module.weight.grad().item<double>(), 0.3, 1e-6);
  EXPECT_NEAR(module.matrix.grad().item<double>(), 0.4, 1e-6);
}

}  // namespace
}  // namespace moefb::trainer
