#include "trainer/analysis/lanczos.h"

#include <gtest/gtest.h>

#include <numeric>

#include "trainer/analysis/known_matrix.h"
#include "trainer/analysis/residuals.h"

namespace moefb::trainer {
namespace {

void expect_eigenpairs(const KnownMatrix& known, const Eigenpairs& pairs, double tolerance) {
  for (size_t i = 0; i < pairs.values.size(); ++i) {
    const at::Tensor v = pairs.vectors[int64_t(i)];
    const at::Tensor error = known.matrix.mv(v) - pairs.values[i] * v;
    EXPECT_NEAR(at::linalg_vector_norm(v).item<double>(), 1, 1e-12);
    EXPECT_LT(at::linalg_vector_norm(error).item<double>(), tolerance) << "pair " << i;
  }
}

TEST(Lanczos, FindsOutliersOfBothSignsByMagnitude) {
  KnownMatrix known(bulk_and({9, -7, 5}, 200));
  const SymmetricOperator op = known.as_operator();
  Lanczos lanczos(op, 40, 3, 1);
  finish(lanczos);
  const Eigenpairs& pairs = lanczos.leading();
  ASSERT_EQ(pairs.values.size(), 3u);
  EXPECT_NEAR(pairs.values[0], 9, 1e-10);
  EXPECT_NEAR(pairs.values[1], -7, 1e-10);
  EXPECT_NEAR(pairs.values[2], 5, 1e-10);
  expect_eigenpairs(known, pairs, 1e-8);
  EXPECT_EQ(known.products, 40);
}

TEST(Lanczos, ResidualsBoundTheErrorOfEigenvalues) {
  KnownMatrix known(bulk_and({1.5}, 100));  // too few products to converge within the bulk
  const SymmetricOperator op = known.as_operator();
  Lanczos lanczos(op, 12, 6, 1);
  finish(lanczos);
  Residuals residuals(op, lanczos.leading());
  finish(residuals);
  ASSERT_EQ(residuals.lengths().size(), 6u);
  for (size_t i = 0; i < 6; ++i) {
    const double nearest = (known.values - lanczos.leading().values[i]).abs().min().item<double>();
    EXPECT_LE(nearest, residuals.lengths()[i] + 1e-14);
  }
  EXPECT_LT(residuals.lengths().front(), 1e-3);
  EXPECT_GT(residuals.lengths().back(), 1e-3) << "nothing was left to be said";
}

TEST(Lanczos, WholeSpectrumOfASmallMatrixWithRepeatedEigenvalues) {
  KnownMatrix known({2, 2, 2, -1, -1, 0, 0, 0, 3});
  const SymmetricOperator op = known.as_operator();
  Lanczos lanczos(op, 100, 9, 1);  // no more steps than rows
  finish(lanczos);
  const std::vector<double> expected = {3, 2, 2, 2, -1, -1, 0, 0, 0};
  ASSERT_EQ(lanczos.leading().values.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(lanczos.leading().values[i], expected[i], 1e-10) << i;
  expect_eigenpairs(known, lanczos.leading(), 1e-10);
  const at::Tensor gram = lanczos.leading().vectors.matmul(lanczos.leading().vectors.t());
  EXPECT_LT((gram - at::eye(9, at::kDouble)).abs().max().item<double>(), 1e-10);
}

TEST(Lanczos, ZeroMatrixHasZeroEigenvalues) {
  KnownMatrix known({0, 0, 0, 0});
  const SymmetricOperator op = known.as_operator();
  Lanczos lanczos(op, 3, 2, 1);
  finish(lanczos);
  for (const double value : lanczos.leading().values) EXPECT_EQ(value, 0);
}

TEST(Lanczos, QuadratureIntegratesPolynomialsOfTheMatrix) {
  KnownMatrix known(bulk_and({4}, 50));
  const SymmetricOperator op = known.as_operator();
  at::Tensor start;  // the vector of the first product
  const SymmetricOperator noting = {op.size, op.options, [&](const at::Tensor& v) {
                                      if (!start.defined()) start = v.clone();
                                      return op.apply(v);
                                    }};
  Lanczos watched(noting, 5, 0, 1);
  finish(watched);
  const Quadrature quadrature = watched.quadrature();
  EXPECT_NEAR(std::accumulate(quadrature.weights.begin(), quadrature.weights.end(), 0.0), 1, 1e-12);
  at::Tensor power = start;
  for (int degree = 1; degree <= 9; ++degree) {  // exact up to 2 * 5 - 1
    power = known.matrix.mv(power);
    double sum = 0;
    for (size_t i = 0; i < quadrature.nodes.size(); ++i) {
      sum += quadrature.weights[i] * std::pow(quadrature.nodes[i], degree);
    }
    const double expected = at::dot(start, power).item<double>();
    EXPECT_NEAR(sum, expected, 1e-11 * std::pow(4, degree)) << degree;
  }
}

TEST(Lanczos, GoesOnFromItsStateToTheSameBits) {
  KnownMatrix known(bulk_and({9, -7, 5}, 60));
  const SymmetricOperator op = known.as_operator();
  Lanczos whole(op, 20, 3, 1);
  finish(whole);
  Lanczos first(op, 20, 3, 1);
  for (int i = 0; i < 7; ++i) first.step();
  Lanczos second(op, 20, 3, 1);
  second.set_state(first.state());
  EXPECT_EQ(second.steps_done(), 7);
  finish(second);
  EXPECT_EQ(second.leading().values, whole.leading().values);
  EXPECT_TRUE(second.leading().vectors.equal(whole.leading().vectors));
  Lanczos third(op, 20, 3, 1);
  third.set_state(second.state());
  EXPECT_TRUE(third.done());
  EXPECT_EQ(third.leading().values, whole.leading().values);
}

}  // namespace
}  // namespace moefb::trainer
