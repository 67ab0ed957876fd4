#include "trainer/models/losses.h"

#include <ATen/ATen.h>

#include <cmath>

namespace moefb::trainer {
namespace {

constexpr double kEps = 1e-8;

// var / mean^2 equals (std / mean)^2 without a square root, whose slope at 0 is infinite.
at::Tensor squared_variation(const at::Tensor& mass, const at::Tensor& mean) {
  return mass.var(/*unbiased=*/false) / mean.square();
}

}  // namespace

at::Tensor soft_balance_loss(const at::Tensor& probs, double coef) {
  const double uniform = 1.0 / double(probs.size(1));
  const at::Tensor mean = probs.mean(0).clamp_min(kEps);
  return coef * uniform * (uniform * (std::log(uniform) - mean.log())).sum();
}

at::Tensor importance_loss(const at::Tensor& probs, double coef) {
  if (coef <= 0) return at::zeros({}, probs.options());
  const at::Tensor mass = probs.sum(0) + kEps;
  return coef * squared_variation(mass, mass.mean());
}

at::Tensor load_loss(const at::Tensor& load, double coef) {
  if (coef <= 0) return at::zeros({}, load.options());
  return coef * squared_variation(load, load.mean() + kEps);
}

}  // namespace moefb::trainer
