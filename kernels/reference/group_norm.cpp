// Group normalisation of (N, pixels, c) maps, then an activation.
//
// Source: Wu and He 2018 (arXiv:1803.08494), equation 1. All in f64 and rounded once: a 56 x 56 map has 25,000 values
// in a group, and an f32 sum of them would be off in the sixth digit.

#include <cmath>

#include "kernels/reference/activation.h"
#include "kernels/reference/kernels.h"

namespace moefb::kernels::reference {
namespace {

/// Channels begin to end of one image of `pixels` rows of c values.
struct Group {
  const float* image;
  int64_t pixels, c, begin, end;

  double count() const noexcept { return static_cast<double>(pixels * (end - begin)); }
};

double mean_of(const Group& group) noexcept {
  double sum = 0;
  for (int64_t p = 0; p < group.pixels; ++p) {
    for (int64_t i = group.begin; i < group.end; ++i) sum += group.image[p * group.c + i];
  }
  return sum / group.count();
}

double variance_of(const Group& group, double mean) noexcept {
  double sum = 0;
  for (int64_t p = 0; p < group.pixels; ++p) {
    for (int64_t i = group.begin; i < group.end; ++i) {
      const double distance = group.image[p * group.c + i] - mean;
      sum += distance * distance;
    }
  }
  return sum / group.count();
}

}  // namespace

void group_norm(const float* src, int64_t pixels, int64_t c, int64_t groups, float eps, const float* weight,
                const float* bias, Activation activation, int64_t image_begin, int64_t image_end, float* dst) noexcept {
  const int64_t width = c / groups;
  for (int64_t n = image_begin; n < image_end; ++n) {
    const float* image = src + n * pixels * c;
    float* out = dst + n * pixels * c;
    for (int64_t g = 0; g < groups; ++g) {
      const Group group{image, pixels, c, g * width, (g + 1) * width};
      const double mean = mean_of(group);
      const double scale = 1.0 / std::sqrt(variance_of(group, mean) + static_cast<double>(eps));
      for (int64_t p = 0; p < pixels; ++p) {
        for (int64_t i = group.begin; i < group.end; ++i) {
          out[p * c + i] = static_cast<float>((image[p * c + i] - mean) * scale * weight[i] + bias[i]);
        }
      }
    }
    activate(activation, out, pixels * c);
  }
}

}  // namespace moefb::kernels::reference
