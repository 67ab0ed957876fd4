#include "trainer/analysis/density.h"

#include <gtest/gtest.h>

#include "trainer/analysis/known_matrix.h"

namespace moefb::trainer {
namespace {

double integral(const SpectralDensity& density, double low, double high) {
  double sum = 0;
  for (size_t i = 0; i + 1 < density.lambda.size(); ++i) {
    if (density.lambda[i] < low || density.lambda[i + 1] > high) continue;
    sum += (density.density[i] + density.density[i + 1]) / 2 * (density.lambda[i + 1] - density.lambda[i]);
  }
  return sum;
}

TEST(SpectralDensity, IntegratesToOne) {
  const SpectralDensity density = spectral_density({{{-1, 0, 2}, {0.2, 0.5, 0.3}}, {{0, 3}, {0.9, 0.1}}}, 0.01, 512);
  EXPECT_NEAR(integral(density, -10, 10), 1, 1e-6);
  EXPECT_NEAR(density.sigma, 0.04, 1e-12);
}

TEST(SpectralDensity, WeighsEachNode) {
  const SpectralDensity density = spectral_density({{{-1, 0, 2}, {0.2, 0.5, 0.3}}}, 0.01, 512);
  EXPECT_NEAR(integral(density, -1.5, -0.5), 0.2, 1e-6);
  EXPECT_NEAR(integral(density, 1.5, 2.5), 0.3, 1e-6);
}

TEST(SpectralDensity, CountsTheEigenvaluesOfAMatrix) {
  std::vector<double> eigenvalues(90, 0.0);  // a tenth of the spectrum at 5, the rest at 0
  for (int i = 0; i < 10; ++i) eigenvalues.push_back(5);
  KnownMatrix known(eigenvalues);
  const SymmetricOperator op = known.as_operator();
  std::vector<Quadrature> quadratures;
  for (int64_t i = 0; i < 200; ++i) {
    Lanczos lanczos(op, 2, 0, 1, i);
    finish(lanczos);
    quadratures.push_back(lanczos.quadrature());
  }
  // One start vector says a tenth with a deviation of 0.04; two hundred of them with 0.003.
  EXPECT_NEAR(integral(spectral_density(quadratures, 0.01, 512), 4, 6), 0.1, 0.01);
}

TEST(SpectralDensity, ASingleEigenvalueHasAWidth) {
  const SpectralDensity density = spectral_density({{{2}, {1}}}, 0.01, 512);
  EXPECT_GT(density.sigma, 0);
  EXPECT_NEAR(integral(density, 1, 3), 1, 1e-6);
  const SpectralDensity zero = spectral_density({{{0}, {1}}}, 0.01, 512);
  EXPECT_GT(zero.sigma, 0);
  EXPECT_NEAR(integral(zero, -1, 1), 1, 1e-6);
}

}  // namespace
}  // namespace moefb::trainer
