// The router's options; what was published is golden_trainer_test's.
#include "trainer/models/patch_router.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace moefb::trainer {
namespace {

at::Tensor scores(int64_t tokens, int64_t experts) {
  return 2 * at::randn({tokens, experts}, at::detail::createCPUGenerator(3));
}

/// All scores favour expert 0, by different amounts.
at::Tensor crowded(int64_t tokens) {
  return at::stack({at::arange(1, tokens + 1) * 0.1, at::zeros({tokens}), at::full({tokens}, -1.0)}, 1).to(at::kFloat);
}

TEST(PatchRouter, GateRuleWeighsWithTheProbability) {
  RouterOptions options;
  options.combine_weight = CombineWeight::kGate;
  const Routing routing = route(crowded(6), 1, options, {}, false, {});
  const at::Tensor kept = routing.expert >= 0;
  EXPECT_EQ(kept.sum().item<int64_t>(), 4);
  EXPECT_TRUE(routing.weight.equal(routing.probs.select(1, 0) * kept));
}

TEST(PatchRouter, SecondChoiceIsWeightedAsAFirstOne) {
  RouterOptions options;
  options.drop_policy = DropPolicy::kSecondChoice;
  for (const CombineWeight rule : {CombineWeight::kPublished, CombineWeight::kGate}) {
    options.combine_weight = rule;
    const Routing routing = route(crowded(6), 1, options, {}, false, {});
    EXPECT_EQ((routing.expert < 0).sum().item<int64_t>(), 0);
    EXPECT_EQ((routing.expert == 1).sum().item<int64_t>(), 2);
    const at::Tensor gate = routing.probs.gather(1, routing.expert.unsqueeze(1)).squeeze(1);
    EXPECT_TRUE(routing.weight.equal(rule == CombineWeight::kGate ? gate : at::ones({6})));
  }
}

TEST(PatchRouter, ImageGroupMakesAnAnswerIndependentOfItsBatch) {
  RouterOptions options;
  options.capacity_factor_val = 1.0;
  const at::Tensor both = scores(40, 4);
  const auto second_alone = [&] { return route(both.narrow(0, 20, 20), 1, options, {}, false, {}).expert; };
  const auto second_of_two = [&] { return route(both, 2, options, {}, false, {}).expert.narrow(0, 20, 20); };
  EXPECT_FALSE(second_of_two().equal(second_alone()));
  options.capacity_group = CapacityGroup::kImage;
  EXPECT_TRUE(second_of_two().equal(second_alone()));
  EXPECT_EQ(route(both, 2, options, {}, false, {}).groups, 2);
}

TEST(PatchRouter, WithoutCapacityNothingIsDropped) {
  RouterOptions options;
  options.capacity_group = CapacityGroup::kNone;
  EXPECT_EQ((route(crowded(9), 3, options, {}, true, {}).expert != 0).sum().item<int64_t>(), 0);
}

TEST(PatchRouter, NoiseIsForTrainingOnly) {
  RoutingPhase phase;
  phase.noise_level = 0.5;
  const at::Tensor noise01 = at::rand({8, 3}, at::detail::createCPUGenerator(4));
  const at::Tensor input = scores(8, 3);
  EXPECT_TRUE(route(input, 1, {}, phase, true, noise01).scaled_logits.allclose(input + 0.5 * noise01));
  EXPECT_TRUE(route(input, 1, {}, phase, false, noise01).scaled_logits.equal(input));
}

TEST(PatchRouter, OneExpertTakesAllAndHasNothingToDiversify) {
  const at::Tensor input = at::zeros({7, 1}).requires_grad_();
  const Routing routing = route(input, 1, {}, {}, true, {});
  EXPECT_EQ(routing.capacity, 14);
  EXPECT_TRUE(routing.weight.equal(at::ones({7})));
  EXPECT_EQ(routing.diversity_loss.item<float>(), 0);
  EXPECT_EQ(routing.balance_loss.item<float>(), 1);
  EXPECT_TRUE(route(input.narrow(0, 0, 1), 1, {}, {}, true, {}).logits_std.isfinite().item<bool>());
}

TEST(PatchRouter, UniformPhaseHasNoLossesAndNoSlope) {
  RoutingPhase phase;
  phase.uniform = true;
  const Routing routing = route(scores(8, 4).requires_grad_(), 1, {}, phase, true, {});
  EXPECT_FALSE(routing.weight.requires_grad());
  EXPECT_FALSE(routing.z_loss.requires_grad());
  EXPECT_EQ(routing.weight[0].item<float>(), 0.25f);
  EXPECT_FALSE(routing.probs.defined());
}

}  // namespace
}  // namespace moefb::trainer
