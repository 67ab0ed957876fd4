// Pooling. Channels are lanes; each output reads its pixels in raster order.

#include <algorithm>
#include <cmath>

#include "kernels/reference/kernels.h"
#include "kernels/reference/taps.h"

namespace moefb::kernels::reference {
namespace {

void keep_larger(const float* src, int64_t count, float* dst) noexcept {
  for (int64_t i = 0; i < count; ++i) dst[i] = src[i] > dst[i] ? src[i] : dst[i];
}

}  // namespace

void max_pool(const Window& window, const float* src, int64_t row_begin, int64_t row_end, float* dst) noexcept {
  const int64_t c = window.c;
  for (int64_t row = row_begin; row < row_end; ++row) {
    const int64_t n = row / window.oh;
    const int64_t oy = row % window.oh;
    const TapSpan y = tap_span(vertical(window), oy);
    for (int64_t ox = 0; ox < window.ow; ++ox) {
      const TapSpan x = tap_span(horizontal(window), ox);
      float* out = dst + (row * window.ow + ox) * c;
      std::fill(out, out + c, -INFINITY);
      for (int64_t ky = y.tap_begin; ky < y.tap_end; ++ky) {
        const int64_t src_row = n * window.h + oy * window.stride - window.padding + ky;
        for (int64_t kx = x.tap_begin; kx < x.tap_end; ++kx) {
          const int64_t src_column = ox * window.stride - window.padding + kx;
          keep_larger(src + (src_row * window.w + src_column) * c, c, out);
        }
      }
    }
  }
}

void global_average_pool(const float* src, int64_t pixels, int64_t c, int64_t image_begin, int64_t image_end,
                         float* dst) noexcept {
  constexpr int64_t kBlock = 16;  // channels summed at once, so that whole cache lines are read
  for (int64_t n = image_begin; n < image_end; ++n) {
    for (int64_t first = 0; first < c; first += kBlock) {
      const int64_t count = std::min(kBlock, c - first);
      double sums[kBlock] = {};
      for (int64_t pixel = 0; pixel < pixels; ++pixel) {
        const float* values = src + (n * pixels + pixel) * c + first;
        for (int64_t i = 0; i < count; ++i) sums[i] += values[i];
      }
      for (int64_t i = 0; i < count; ++i) dst[n * c + first + i] = static_cast<float>(sums[i] / pixels);
    }
  }
}

}  // namespace moefb::kernels::reference
