// The published 150 epochs are golden_trainer_test's; here shorter runs.
#include "trainer/train/patch_schedule.h"

#include <gtest/gtest.h>

namespace moefb::trainer {
namespace {

PatchRecipe short_recipe() {
  PatchRecipe recipe;
  recipe.epochs = 12;
  recipe.warmup_epochs = 2;
  recipe.uniform_epochs = 1;
  recipe.router_warmup_epochs = 2;
  recipe.router_temp = 1.5;
  return recipe;
}

TEST(PatchSchedule, ShortRunReachesEveryEnd) {
  const PatchRecipe recipe = short_recipe();
  const PatchEpoch first = patch_epoch(recipe, 0);
  EXPECT_TRUE(first.phase.uniform);
  EXPECT_EQ(first.phase.temperature, 1.5);
  EXPECT_EQ(first.rates.router, 0);
  EXPECT_DOUBLE_EQ(first.rates.backbone, 5e-4);
  EXPECT_FALSE(patch_epoch(recipe, 1).phase.uniform);
  EXPECT_DOUBLE_EQ(patch_epoch(recipe, 2).rates.router, 1e-3);
  const PatchEpoch end = patch_epoch(recipe, 12);
  EXPECT_NEAR(end.rates.backbone, 1e-4, 1e-12);
  EXPECT_NEAR(end.rates.router, 1e-4, 1e-12);
  EXPECT_NEAR(end.losses.balance, 5e-4, 1e-12);
  EXPECT_NEAR(end.phase.temperature, 0.85, 1e-12);
  EXPECT_NEAR(end.phase.noise_level, 0, 1e-12);
}

TEST(PatchSchedule, RunShorterThanItsWarmUpsStaysFinite) {
  PatchRecipe recipe;
  recipe.epochs = 3;
  for (int64_t epoch = 0; epoch < 20; ++epoch) {
    const PatchEpoch plan = patch_epoch(recipe, epoch);
    EXPECT_TRUE(plan.rates.backbone > 0 && plan.rates.backbone <= 1e-3) << epoch;
    EXPECT_TRUE(plan.rates.router >= 0 && plan.rates.router <= 1e-3) << epoch;
    EXPECT_TRUE(plan.phase.temperature >= 0.85 && plan.phase.temperature <= 2) << epoch;
  }
}

TEST(PatchSchedule, WarmUpsMayBeLeftOut) {
  PatchRecipe recipe = short_recipe();
  recipe.warmup_epochs = recipe.uniform_epochs = recipe.router_warmup_epochs = 0;
  const PatchEpoch plan = patch_epoch(recipe, 0);
  EXPECT_FALSE(plan.phase.uniform);
  EXPECT_DOUBLE_EQ(plan.rates.backbone, 1e-3);
  EXPECT_DOUBLE_EQ(plan.rates.router, 1e-3);
  EXPECT_DOUBLE_EQ(plan.losses.balance, 0.05);
}

}  // namespace
}  // namespace moefb::trainer
