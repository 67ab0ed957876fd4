// The built-in figures against docs/spec, where both papers' tables are restated.
#include "trainer/report/published.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace moefb::report {
namespace {

TEST(Published, HeadsAreThoseOfTheSpecification) {
  ASSERT_EQ(published().heads.size(), 3u);
  const PublishedHead& soft = *published().head("soft");
  EXPECT_EQ(soft.val_acc, 0.8824);
  EXPECT_EQ(soft.val_epoch, 48);
  EXPECT_NEAR(soft.trace_test, 1455.34, 0.01);
  EXPECT_NEAR(published().head("sparse")->eigenvalues_train.front(), 0.722, 1e-3);
  EXPECT_EQ(published().head("hard"), nullptr);
}

TEST(Published, HistoriesReachTheTablesMaxima) {
  for (const PublishedHead& head : published().heads) {
    ASSERT_EQ(head.history_val_acc.size(), 50u);
    const auto best = std::max_element(head.history_val_acc.begin(), head.history_val_acc.end());
    EXPECT_NEAR(*best, head.val_acc, 5e-5) << head.name;
    EXPECT_EQ(best - head.history_val_acc.begin() + 1, head.val_epoch) << head.name;
  }
}

TEST(Published, CurvesHave21PointsAndTheirMinimumInside) {
  for (const PublishedHead& head : published().heads) {
    ASSERT_EQ(head.curve_alphas.size(), 21u);
    ASSERT_EQ(head.curve_losses.size(), 21u);
    const auto least = std::min_element(head.curve_losses.begin(), head.curve_losses.end()) - head.curve_losses.begin();
    EXPECT_NEAR(head.curve_alphas[size_t(least)], 0, 0.051) << head.name;
  }
}

TEST(Published, PatchNetworksAreThoseOfTheSpecification) {
  ASSERT_EQ(published().patches.size(), 4u);
  EXPECT_EQ(published().patches[0].kind, "resnet18");
  EXPECT_TRUE(std::isnan(published().patches[0].imbalance));
  EXPECT_EQ(published().patches[3].experts, 16);
  EXPECT_EQ(published().patches[3].imbalance, 90.18);
  EXPECT_EQ(published().patches[1].latency_ms, 27.61);
}

}  // namespace
}  // namespace moefb::report
