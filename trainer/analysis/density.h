// The spectral density of a large symmetric matrix (Ghorbani, Krishnan and Xiao 2019, arXiv:1901.10159): stochastic
// Lanczos quadrature, each node a narrow Gaussian.
#pragma once

#include <vector>

#include "trainer/analysis/lanczos.h"

namespace moefb::trainer {

struct SpectralDensity {
  std::vector<double> lambda;   ///< evenly spaced, a few sigma beyond the outermost nodes
  std::vector<double> density;  ///< integrates to 1 over lambda
  double sigma = 0;             ///< of the Gaussians, in units of the eigenvalues
};

/// The mean over the start vectors of their quadratures.
/// @param relative_sigma  over the distance of the outermost nodes; above 0
/// @param points          of the grid, at least 2
SpectralDensity spectral_density(const std::vector<Quadrature>& quadratures, double relative_sigma, int64_t points);

}  // namespace moefb::trainer
