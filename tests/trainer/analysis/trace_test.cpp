#include "trainer/analysis/trace.h"

#include <gtest/gtest.h>

#include <cmath>

#include "trainer/analysis/known_matrix.h"

namespace moefb::trainer {
namespace {

TEST(Hutchinson, LiesWithinThreeStandardErrors) {
  KnownMatrix known(bulk_and({30, -4, 8}, 100));
  const SymmetricOperator op = known.as_operator();
  Hutchinson hutchinson(op, 200, /*early=*/false, 1);
  finish(hutchinson);
  const TraceEstimate estimate = hutchinson.estimate();
  EXPECT_EQ(estimate.samples, 200);
  EXPECT_EQ(known.products, 200);
  EXPECT_GT(estimate.standard_error, 0);
  EXPECT_LT(std::abs(estimate.mean - 34), 3 * estimate.standard_error);
}

// Of a matrix A with entries a_ij the variance of one sample is 2 sum over i != j of a_ij^2.
TEST(Hutchinson, StandardErrorIsThatOfTheEstimator) {
  KnownMatrix known(bulk_and({30, -4, 8}, 100));
  const SymmetricOperator op = known.as_operator();
  Hutchinson hutchinson(op, 2000, /*early=*/false, 1);
  finish(hutchinson);
  const at::Tensor beside = known.matrix - at::diag(known.matrix.diagonal());
  const double expected = std::sqrt(2 * beside.square().sum().item<double>() / 2000);
  EXPECT_NEAR(hutchinson.estimate().standard_error / expected, 1, 0.1);
}

TEST(Hutchinson, OneSampleOfADiagonalMatrixIsExact) {
  const at::Tensor diagonal = at::arange(1, 11, at::kDouble);
  const SymmetricOperator op = {10, at::TensorOptions(at::kDouble), [&](const at::Tensor& v) { return diagonal * v; }};
  Hutchinson hutchinson(op, 1, /*early=*/false, 1);
  finish(hutchinson);
  EXPECT_DOUBLE_EQ(hutchinson.estimate().mean, 55);
  EXPECT_TRUE(std::isnan(hutchinson.estimate().standard_error));
}

TEST(Hutchinson, StopsAsPublishedWhereTheMeanStandsStill) {
  const SymmetricOperator op = {10, at::TensorOptions(at::kDouble), [](const at::Tensor& v) { return 2 * v; }};
  Hutchinson hutchinson(op, 100, /*early=*/true, 1);
  finish(hutchinson);
  EXPECT_EQ(hutchinson.estimate().samples, 2);  // the second mean equals the first
  EXPECT_DOUBLE_EQ(hutchinson.estimate().mean, 20);
}

TEST(HutchPlusPlus, IsExactForAMatrixOfLowRank) {
  std::vector<double> eigenvalues(80, 0.0);
  eigenvalues[0] = 12, eigenvalues[1] = -5, eigenvalues[2] = 3, eigenvalues[3] = 0.5;
  KnownMatrix known(eigenvalues);
  const SymmetricOperator op = known.as_operator();
  HutchPlusPlus sketched(op, 15, 1);
  finish(sketched);
  EXPECT_EQ(known.products, 15);
  EXPECT_NEAR(sketched.estimate().mean, 10.5, 1e-10);
  EXPECT_NEAR(sketched.estimate().standard_error, 0, 1e-10);
}

TEST(HutchPlusPlus, LiesWithinThreeStandardErrorsAndCloserThanHutchinson) {
  KnownMatrix known(bulk_and({300, -40, 80, 60, 20}, 200));
  const SymmetricOperator op = known.as_operator();
  HutchPlusPlus sketched(op, 60, 1);
  Hutchinson plain(op, 60, /*early=*/false, 1);
  finish(sketched);
  finish(plain);
  EXPECT_LT(std::abs(sketched.estimate().mean - 420), 3 * sketched.estimate().standard_error);
  EXPECT_LT(sketched.estimate().standard_error, plain.estimate().standard_error / 3);
}

TEST(HutchPlusPlus, GoesOnFromItsStateToTheSameBits) {
  KnownMatrix known(bulk_and({30, -4, 8}, 50));
  const SymmetricOperator op = known.as_operator();
  HutchPlusPlus whole(op, 12, 1);
  finish(whole);
  for (const int stop : {1, 4, 6, 9}) {  // in each of the three parts, and between two
    HutchPlusPlus first(op, 12, 1);
    for (int i = 0; i < stop; ++i) first.step();
    HutchPlusPlus second(op, 12, 1);
    second.set_state(first.state());
    finish(second);
    EXPECT_EQ(second.estimate().mean, whole.estimate().mean) << stop;
    EXPECT_EQ(second.estimate().standard_error, whole.estimate().standard_error) << stop;
  }
}

}  // namespace
}  // namespace moefb::trainer
