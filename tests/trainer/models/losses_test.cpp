// The load estimator that the published code lacks; the losses themselves are golden_trainer_test's.
#include "trainer/models/losses.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

namespace moefb::trainer {
namespace {

/// How often expert `e` is among the k best of each row when only its noise is drawn again, (B).
at::Tensor share_of_draws(const at::Tensor& clean, const at::Tensor& noisy, const at::Tensor& deviation, int64_t k,
                          int64_t e, int64_t draws, at::Generator& generator) {
  at::Tensor chosen = at::zeros({clean.size(0)});
  for (int64_t i = 0; i < draws; ++i) {
    at::Tensor scores = noisy.clone();
    scores.select(1, e).copy_(clean.select(1, e) + at::randn({clean.size(0)}, generator) * deviation.select(1, e));
    chosen += std::get<1>(scores.topk(k, 1)).eq(e).any(1);
  }
  return chosen / double(draws);
}

TEST(SmoothLoad, IsTheChanceToStayUnderOtherNoise) {
  constexpr int64_t kRows = 5, kExperts = 4, kDraws = 4000;
  auto generator = at::detail::createCPUGenerator(3);
  const at::Tensor clean = at::randn({kRows, kExperts}, generator);
  const at::Tensor deviation = at::rand({kRows, kExperts}, generator) + 0.3;
  const at::Tensor noisy = clean + at::randn({kRows, kExperts}, generator) * deviation;
  for (const int64_t k : {1, 2, 3}) {
    const at::Tensor load = smooth_load(clean, noisy, deviation, k);
    for (int64_t e = 0; e < kExperts; ++e) {
      const double drawn = share_of_draws(clean, noisy, deviation, k, e, kDraws, generator).sum().item<double>();
      // A sum of 5 shares of 4,000 draws has a standard deviation of at most 0.018.
      EXPECT_NEAR(load[e].item<double>(), drawn, 5 * 0.018) << "k " << k << ", expert " << e;
    }
  }
}

TEST(SmoothLoad, HasASlopeForExpertsThatWereNotChosen) {
  const at::Tensor clean = at::tensor({1.0f, 0.5f, -1.0f}).unsqueeze(0).requires_grad_();
  smooth_load(clean, clean + at::tensor({0.1f, 0.0f, 0.0f}), at::ones({1, 3}), 1).select(0, 2).backward();
  EXPECT_GT(clean.grad()[0][2].item<double>(), 0);
}

}  // namespace
}  // namespace moefb::trainer
