#include "trainer/analysis/power_iteration.h"

#include <gtest/gtest.h>

#include "trainer/analysis/known_matrix.h"

namespace moefb::trainer {
namespace {

TEST(PowerIteration, FindsSeparatedEigenvaluesWithinThePublishedTolerance) {
  KnownMatrix known(bulk_and({20, -10, 5}, 100));
  const SymmetricOperator op = known.as_operator();
  PowerIteration power(op, 3, 1);
  finish(power);
  const Eigenpairs pairs = power.found();
  ASSERT_EQ(pairs.values.size(), 3u);
  const std::vector<double> expected = {20, -10, 5};
  for (size_t i = 0; i < 3; ++i) EXPECT_NEAR(pairs.values[i], expected[i], 5e-3 * std::abs(expected[i])) << i;
  EXPECT_EQ(power.steps_done(), known.products);
}

// The value is the one before the step that settled: worked out here by the rule's own words.
TEST(PowerIteration, ReportsTheValueBeforeTheLast) {
  KnownMatrix known({3, 1, 0.5, -0.25});
  const SymmetricOperator op = known.as_operator();
  std::vector<double> seen;
  const SymmetricOperator noting = {op.size, op.options, [&](const at::Tensor& v) {
                                      const at::Tensor product = op.apply(v);
                                      seen.push_back(at::dot(v, product).item<double>());
                                      return product;
                                    }};
  PowerIteration power(noting, 1, 1);
  finish(power);
  ASSERT_GE(seen.size(), 3u);
  const double last = seen.back(), before = seen[seen.size() - 2];
  EXPECT_LT(std::abs(before - last) / (std::abs(before) + 1e-6), 1e-3);
  EXPECT_NE(before, last);
  EXPECT_DOUBLE_EQ(power.found().values[0], before);
}

TEST(PowerIteration, GivesUpAfterAHundredProducts) {
  const SymmetricOperator turning = {2, at::TensorOptions(at::kDouble), [turn = 0](const at::Tensor& v) mutable {
                                       return (++turn % 2 == 0 ? 1.0 : 2.0) * v;
                                     }};
  PowerIteration power(turning, 1, 1);
  finish(power);
  EXPECT_EQ(power.steps_done(), 100);
}

TEST(PowerIteration, GoesOnFromItsStateToTheSameBits) {
  KnownMatrix known(bulk_and({20, -10, 5}, 40));
  const SymmetricOperator op = known.as_operator();
  PowerIteration whole(op, 3, 1);
  finish(whole);
  for (const int64_t stop : {int64_t{1}, int64_t{4}, whole.steps_done() - 1}) {
    PowerIteration first(op, 3, 1);
    for (int64_t i = 0; i < stop; ++i) first.step();
    PowerIteration second(op, 3, 1);
    second.set_state(first.state());
    finish(second);
    EXPECT_EQ(second.found().values, whole.found().values);
    EXPECT_TRUE(second.found().vectors.equal(whole.found().vectors));
  }
}

}  // namespace
}  // namespace moefb::trainer
