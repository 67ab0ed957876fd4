#include "trainer/models/losses.h"

#include <ATen/ATen.h>

#include <cmath>

#include "trainer/distributed/rows.h"

namespace moefb::trainer {
namespace {

constexpr double kEps = 1e-8;

// var / mean^2 equals (std / mean)^2 without a square root, whose slope at 0 is infinite.
at::Tensor squared_variation(const at::Tensor& mass, const at::Tensor& mean) {
  return mass.var(/*unbiased=*/false) / mean.square();
}

}  // namespace

at::Tensor soft_balance_loss(const at::Tensor& probs, double coef, const Group& group) {
  const double uniform = 1.0 / double(probs.size(1));
  const at::Tensor mean = rows_of(group, probs.size(0)).mean(probs).clamp_min(kEps);
  return coef * uniform * (uniform * (std::log(uniform) - mean.log())).sum();
}

at::Tensor importance_loss(const at::Tensor& probs, double coef, const Group& group) {
  if (coef <= 0) return at::zeros({}, probs.options());
  const at::Tensor mass = group.sum(probs.sum(0)) + kEps;
  return coef * squared_variation(mass, mass.mean());
}

at::Tensor load_loss(const at::Tensor& load, double coef) {
  if (coef <= 0) return at::zeros({}, load.options());
  return coef * squared_variation(load, load.mean() + kEps);
}

at::Tensor smooth_load(const at::Tensor& clean, const at::Tensor& noisy, const at::Tensor& deviation, int64_t k) {
  const at::Tensor best = std::get<0>(noisy.topk(k + 1, 1));
  const at::Tensor last_in = best.narrow(1, k - 1, 1);
  const at::Tensor first_out = best.narrow(1, k, 1);
  // Without a chosen expert the k-th of the others is the first that was left out.
  const at::Tensor threshold = at::where(noisy > first_out, first_out, last_in);
  return at::special_ndtr((clean - threshold) / deviation).sum(0);
}

}  // namespace moefb::trainer
