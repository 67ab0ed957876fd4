#include "converter/batch_norm.h"

#include <cmath>

namespace moefb::convert {

std::vector<float> fold_batch_norm(const BatchNorm& norm, std::span<float> kernel) {
  const size_t channels = norm.weight.size();
  const size_t per_channel = kernel.size() / channels;
  std::vector<float> bias(channels);
  for (size_t c = 0; c < channels; ++c) {
    const double scale = double(norm.weight[c]) / std::sqrt(double(norm.running_var[c]) + kBatchNormEps);
    for (float& w : kernel.subspan(c * per_channel, per_channel)) w = float(double(w) * scale);
    bias[c] = float(double(norm.bias[c]) - double(norm.running_mean[c]) * scale);
  }
  return bias;
}

}  // namespace moefb::convert
