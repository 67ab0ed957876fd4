// Router metrics by hand: guards, names, state. The published numbers are in golden_metrics.cpp.
#include "moefb/metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>
#include <vector>

namespace moefb {
namespace {

/// A batch that owns its arrays.
struct Batch {
  std::vector<float> logits;
  std::vector<int64_t> experts;
  std::vector<float> weights;
  int64_t capacity = 1;

  RoutedBatch view() const { return {logits, experts, weights, capacity, {}}; }
};

/// One token for each entry of `experts`, all with equal logits over E.
Batch batch_of(std::vector<int64_t> experts, int E, int64_t capacity) {
  Batch b;
  b.logits.assign(experts.size() * size_t(E), 0.5f);
  for (const int64_t e : experts) b.weights.push_back(e < 0 ? 0.0f : 1.0f);
  b.experts = std::move(experts);
  b.capacity = capacity;
  return b;
}

RouterMetrics metrics_for(std::vector<int> experts) {
  Result<RouterMetrics> made = RouterMetrics::create(experts);
  EXPECT_TRUE(made.ok());
  return std::move(*made);
}

std::map<std::string, double> named(const RouterMetrics& metrics, ImbalanceNames names = ImbalanceNames::kPublished) {
  std::map<std::string, double> values;
  for (const NamedMetric& m : metrics.summary(names)) values[m.name] = m.value;
  return values;
}

TEST(RouterMetrics, CountsKeptAndDroppedTokens) {
  RouterMetrics metrics = metrics_for({2});
  ASSERT_TRUE(metrics.add(0, batch_of({0, 0, 1, -1}, 2, 2).view()).ok());
  ASSERT_TRUE(metrics.add(0, batch_of({0, -1}, 2, 1).view()).ok());
  const LayerMetrics m = metrics.layer(0);
  EXPECT_EQ(m.usage[0], 3);
  EXPECT_EQ(m.usage[1], 1);
  EXPECT_EQ(m.tokens, 6);
  EXPECT_EQ(m.dropped, 2);
  EXPECT_EQ(m.capacity, 3);
  EXPECT_DOUBLE_EQ(m.drop_rate, 2.0 / 6);
  EXPECT_DOUBLE_EQ(m.capacity_efficiency, 4.0 / 6);
  EXPECT_DOUBLE_EQ(m.cov_usage, 0.5);  // shares 3/4 and 1/4
  EXPECT_DOUBLE_EQ(m.gini, 0.25);
  EXPECT_DOUBLE_EQ(m.imbalance, (0.75 + 1e-6) / (0.25 + 1e-6));
  EXPECT_DOUBLE_EQ(m.entropy_norm, -(0.75 * std::log(0.75) + 0.25 * std::log(0.25)) / std::log(2.0));
  EXPECT_NEAR(m.spec_entropy, 1.0, 1e-8);  // all experts equally likely
}

TEST(RouterMetrics, GiniAgreesWithItsSortedForm) {
  RouterMetrics metrics = metrics_for({4});
  ASSERT_TRUE(metrics.add(0, batch_of({2, 2, 2, 2, 2, 0, 0, 3, 3, 1}, 4, 10).view()).ok());
  const double ascending[] = {0.1, 0.2, 0.2, 0.5};
  double expected = 0;
  for (int i = 1; i <= 4; ++i) expected += (2 * i - 4 - 1) * ascending[i - 1] / 4;
  EXPECT_NEAR(metrics.layer(0).gini, expected, 1e-12);
}

TEST(RouterMetrics, OneExpertHasNoEntropyAndPerfectBalance) {
  RouterMetrics metrics = metrics_for({1});
  ASSERT_TRUE(metrics.add(0, batch_of({0, 0, -1}, 1, 2).view()).ok());
  for (const auto& [name, value] : named(metrics)) EXPECT_TRUE(std::isfinite(value)) << name;
  const LayerMetrics m = metrics.layer(0);
  EXPECT_EQ(m.entropy_norm, 0);
  EXPECT_EQ(m.spec_entropy, 0);
  EXPECT_EQ(m.imbalance, 1);
  EXPECT_EQ(m.gini, 0);
  EXPECT_EQ(m.active, 1);
}

TEST(RouterMetrics, SingleTokenOfOneExpertHasNoDeviation) {
  RouterMetrics metrics = metrics_for({1});
  ASSERT_TRUE(metrics.add(0, batch_of({0}, 1, 1).view()).ok());
  EXPECT_EQ(metrics.layer(0).logits_std, 0);
}

TEST(RouterMetrics, LayerWithoutTrafficIsAllDead) {
  RouterMetrics metrics = metrics_for({3, 3});
  ASSERT_TRUE(metrics.add(0, batch_of({0, 1, 2}, 3, 1).view()).ok());
  const LayerMetrics idle = metrics.layer(1);
  EXPECT_EQ(idle.dead, 3);
  EXPECT_EQ(idle.active, 0);
  EXPECT_EQ(idle.imbalance, 0);
  EXPECT_EQ(idle.entropy_norm, 0);
  EXPECT_EQ(idle.drop_rate, 0);
  EXPECT_DOUBLE_EQ(named(metrics)["dead_mean"], 1.5);
  EXPECT_DOUBLE_EQ(named(metrics)["entropy_norm_mean"], 0.5);
}

TEST(RouterMetrics, ExtremesOfImbalanceAreSwappedUnlessCorrected) {
  RouterMetrics metrics = metrics_for({2, 2});
  ASSERT_TRUE(metrics.add(0, batch_of({0, 1}, 2, 2).view()).ok());
  ASSERT_TRUE(metrics.add(1, batch_of({0, 0, 0, 1}, 2, 4).view()).ok());
  const double even = metrics.layer(0).imbalance, skewed = metrics.layer(1).imbalance;
  ASSERT_LT(even, skewed);
  EXPECT_EQ(named(metrics)["imbalance_max"], even);
  EXPECT_EQ(named(metrics)["imbalance_min"], skewed);
  EXPECT_EQ(named(metrics, ImbalanceNames::kCorrected)["imbalance_max"], skewed);
  EXPECT_EQ(named(metrics, ImbalanceNames::kCorrected)["imbalance_min"], even);
}

TEST(RouterMetrics, QuantilesAreLeftEdgesOfTheirBins) {
  RouterMetrics metrics = metrics_for({2});
  Batch b = batch_of({-1, 0, 0, 0, 0, 0, 0, 0, 1, 1}, 2, 8);
  for (size_t i = 1; i <= 7; ++i) b.weights[i] = 0.5f;  // on an edge: the bin below
  ASSERT_TRUE(metrics.add(0, b.view()).ok());
  EXPECT_EQ(named(metrics)["gate_p10"], 0);
  EXPECT_EQ(named(metrics)["gate_p50"], 31.0 / 64);
  EXPECT_EQ(named(metrics)["gate_p90"], 63.0 / 64);
  EXPECT_DOUBLE_EQ(metrics.layer(0).avg_gate, 0.75);
}

TEST(RouterMetrics, RunningMeansStartFromZero) {
  RouterMetrics metrics = metrics_for({2});
  for (const double std : {2.0, 4.0}) {
    const Batch b = batch_of({0, 1}, 2, 1);
    RoutedBatch view = b.view();
    view.logits_std = std;
    ASSERT_TRUE(metrics.add(0, view).ok());
  }
  EXPECT_DOUBLE_EQ(metrics.layer(0).logits_std, 3.0);
  EXPECT_DOUBLE_EQ(metrics.layer(0).logits_std_ema, 0.9 * 0.2 + 0.1 * 4.0);
}

TEST(RouterMetrics, WeightOfDroppedTokenIsIgnored) {
  RouterMetrics metrics = metrics_for({2});
  Batch b = batch_of({0, -1}, 2, 1);
  b.weights[1] = 1;
  ASSERT_TRUE(metrics.add(0, b.view()).ok());
  EXPECT_EQ(named(metrics)["gate_p10"], 0);
}

TEST(RouterMetrics, RefusesWhatDoesNotFitAndCountsNothing) {
  RouterMetrics metrics = metrics_for({2});
  const std::vector<double> before(metrics.sums().begin(), metrics.sums().end());
  Batch logits = batch_of({0, 1}, 2, 1), weights = logits, expert = logits, capacity = logits, empty;
  logits.logits.pop_back();
  weights.weights.pop_back();
  expert.experts[1] = 2;
  capacity.capacity = 0;
  for (const Batch* b : {&logits, &weights, &expert, &capacity, &empty}) {
    EXPECT_EQ(metrics.add(0, b->view()).code(), Code::kInvalidArgument);
  }
  EXPECT_EQ(metrics.add(1, batch_of({0}, 2, 1).view()).code(), Code::kInvalidArgument);
  EXPECT_EQ(metrics.add(-1, batch_of({0}, 2, 1).view()).code(), Code::kInvalidArgument);
  EXPECT_EQ(std::vector<double>(metrics.sums().begin(), metrics.sums().end()), before);
  EXPECT_EQ(metrics.add(0, expert.view()).where(), 1);
}

TEST(RouterMetrics, RefusesLayersWithoutExperts) {
  const int none[] = {2, 0};
  EXPECT_EQ(RouterMetrics::create(none).status().code(), Code::kInvalidArgument);
}

TEST(RouterMetrics, GoesOnFromSavedSums) {
  RouterMetrics whole = metrics_for({2, 3}), first = metrics_for({2, 3}), second = metrics_for({2, 3});
  const Batch a = batch_of({0, 1, 1}, 2, 2), b = batch_of({2, -1, 0}, 3, 1);
  ASSERT_TRUE(whole.add(0, a.view()).ok() && whole.add(1, b.view()).ok() && whole.add(0, a.view()).ok());
  ASSERT_TRUE(first.add(0, a.view()).ok() && first.add(1, b.view()).ok());
  ASSERT_TRUE(second.set_sums(first.sums()).ok());
  ASSERT_TRUE(second.add(0, a.view()).ok());
  EXPECT_EQ(named(second), named(whole));
  EXPECT_EQ(second.set_sums(first.sums().first(3)).code(), Code::kInvalidArgument);
  second.reset();
  EXPECT_EQ(named(second), named(metrics_for({2, 3})));
}

}  // namespace
}  // namespace moefb
