// From a gate's raw scores to probabilities, one token at a time. `out` may be `in` everywhere.
//
// Means and variances are f64: equal to the published f32 ones within rounding, whatever the order of theirs.
#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/routing/exp.h"
#include "kernels/routing/host_device.h"

namespace moefb::kernels::routing {

MOEFB_HD inline double mean(const float* in, int64_t n) noexcept {
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += in[i];
  return sum / static_cast<double>(n);
}

/// The sum of squared distances from `center`; divided by n or n - 1 it is a variance.
MOEFB_HD inline double squared_distances(const float* in, int64_t n, double center) noexcept {
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += (in[i] - center) * (in[i] - center);
  return sum;
}

/// out = (in - mean) / (std + eps) over E scores; divisor E - 1 if unbiased, where E >= 2.
/// spec/cifar-heads.md, section 6, step 2.
MOEFB_HD inline void standardize(const float* in, int64_t E, float eps, bool unbiased, float* out) noexcept {
  const double center = mean(in, E);
  const double divisor = static_cast<double>(unbiased ? E - 1 : E);
  const double deviation = std::sqrt(squared_distances(in, E, center) / divisor);
  for (int64_t e = 0; e < E; ++e) out[e] = static_cast<float>((in[e] - center) / (deviation + eps));
}

/// out = (in - mean) / sqrt(var + eps) * weight + bias, biased variance. Ba et al. 2016 (arXiv:1607.06450), equation 4.
MOEFB_HD inline void layer_norm(const float* in, int64_t n, float eps, const float* weight, const float* bias,
                                float* out) noexcept {
  const double center = mean(in, n);
  const double variance = squared_distances(in, n, center) / static_cast<double>(n);
  const double scale = 1.0 / std::sqrt(variance + eps);
  for (int64_t i = 0; i < n; ++i) out[i] = static_cast<float>((in[i] - center) * scale * weight[i] + bias[i]);
}

/// scores -= mean(scores)
MOEFB_HD inline void center(float* scores, int64_t E) noexcept {
  const double middle = mean(scores, E);
  for (int64_t e = 0; e < E; ++e) scores[e] = static_cast<float>(scores[e] - middle);
}

/// probabilities = softmax(scores / temperature); a score of minus infinity gives exactly 0.
MOEFB_HD inline void softmax(const float* scores, int64_t E, float temperature, float* probabilities) noexcept {
  float largest = -INFINITY;
  for (int64_t e = 0; e < E; ++e) {
    probabilities[e] = scores[e] / temperature;
    if (probabilities[e] > largest) largest = probabilities[e];
  }
  float sum = 0;
  for (int64_t e = 0; e < E; ++e) {
    probabilities[e] = exp_nonpositive(probabilities[e] - largest);
    sum += probabilities[e];
  }
  for (int64_t e = 0; e < E; ++e) probabilities[e] /= sum;
}

/// softmax over the scores that survive the mask, 0 elsewhere. Threshold: every score >= the K-th largest survives, so
/// that ties keep more than K (as published).
MOEFB_HD inline void masked_softmax_threshold(const float* scores, int64_t E, float threshold, float temperature,
                                              float* probabilities) noexcept {
  for (int64_t e = 0; e < E; ++e) probabilities[e] = scores[e] >= threshold ? scores[e] : -INFINITY;
  softmax(probabilities, E, temperature, probabilities);
}

/// The same with exactly the K chosen experts surviving. `probabilities` may not be `scores` here.
MOEFB_HD inline void masked_softmax_chosen(const float* scores, int64_t E, const int32_t* chosen, int64_t K,
                                           float temperature, float* probabilities) noexcept {
  for (int64_t e = 0; e < E; ++e) probabilities[e] = -INFINITY;
  for (int64_t k = 0; k < K; ++k) probabilities[chosen[k]] = scores[chosen[k]];
  softmax(probabilities, E, temperature, probabilities);
}

}  // namespace moefb::kernels::routing
