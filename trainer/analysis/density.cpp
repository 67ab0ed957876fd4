#include "trainer/analysis/density.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace moefb::trainer {
namespace {

constexpr double kMargin = 6;  ///< sigmas beyond the outermost nodes: 1e-9 of a Gaussian lies farther out
constexpr double kSmallestSpread = 1e-12;

struct Range {
  double low;
  double high;
};

Range range_of(const std::vector<Quadrature>& quadratures) {
  Range range = {quadratures[0].nodes[0], quadratures[0].nodes[0]};
  for (const Quadrature& quadrature : quadratures) {
    for (const double node : quadrature.nodes) {
      range.low = std::min(range.low, node);
      range.high = std::max(range.high, node);
    }
  }
  return range;
}

double gaussian(double x, double sigma) {
  return std::exp(-x * x / (2 * sigma * sigma)) / (sigma * std::sqrt(2 * std::numbers::pi));
}

double density_at(double lambda, const std::vector<Quadrature>& quadratures, double sigma) {
  double sum = 0;
  for (const Quadrature& quadrature : quadratures) {
    for (size_t i = 0; i < quadrature.nodes.size(); ++i) {
      sum += quadrature.weights[i] * gaussian(lambda - quadrature.nodes[i], sigma);
    }
  }
  return sum / double(quadratures.size());
}

}  // namespace

SpectralDensity spectral_density(const std::vector<Quadrature>& quadratures, double relative_sigma, int64_t points) {
  const Range range = range_of(quadratures);
  SpectralDensity result;
  // A single eigenvalue, of the zero matrix say, still needs a width.
  const double magnitude = std::max({std::abs(range.low), std::abs(range.high), kSmallestSpread});
  result.sigma = relative_sigma * std::max(range.high - range.low, relative_sigma * magnitude);
  const double low = range.low - kMargin * result.sigma;
  const double step = (range.high - range.low + 2 * kMargin * result.sigma) / double(points - 1);
  for (int64_t i = 0; i < points; ++i) {
    result.lambda.push_back(low + double(i) * step);
    result.density.push_back(density_at(result.lambda.back(), quadratures, result.sigma));
  }
  return result;
}

}  // namespace moefb::trainer
