// BatchNorm in evaluation is a scale and a shift per channel: both go into the convolution before it.
#pragma once

#include <span>
#include <vector>

namespace moefb::convert {

inline constexpr double kBatchNormEps = 1e-5;

/// Everything per output channel: (C) each.
struct BatchNorm {
  std::vector<float> weight;
  std::vector<float> bias;
  std::vector<float> running_mean;
  std::vector<float> running_var;
};

/// A convolution that computes what convolution and BatchNorm computed: w' = w s, b' = bias - mean s, s = weight /
/// sqrt(var + eps), in float64.
/// @param kernel  (C, ...) of the convolution, which has no bias; scaled in place
/// @return the bias (C)
std::vector<float> fold_batch_norm(const BatchNorm& norm, std::span<float> kernel);

}  // namespace moefb::convert
