// Sums of maps, and the two layouts at the edges of a model.

#include <algorithm>

#include "kernels/reference/activation.h"
#include "kernels/reference/kernels.h"

namespace moefb::kernels::reference {
namespace {

/// (N, rows, columns) -> (N, columns, rows)
void transpose(const float* src, int64_t rows, int64_t columns, int64_t image_begin, int64_t image_end,
               float* dst) noexcept {
  for (int64_t n = image_begin; n < image_end; ++n) {
    const float* image = src + n * rows * columns;
    float* out = dst + n * rows * columns;
    for (int64_t column = 0; column < columns; ++column) {
      for (int64_t row = 0; row < rows; ++row) *out++ = image[row * columns + column];
    }
  }
}

}  // namespace

void add(const float* const* srcs, int count, Activation activation, int64_t begin, int64_t end, float* dst) noexcept {
  constexpr int64_t kBlock = 256;  // summed apart, since dst may be a source
  float sums[kBlock];
  for (int64_t first = begin; first < end; first += kBlock) {
    const int64_t length = std::min(kBlock, end - first);
    std::fill(sums, sums + length, 0.0f);
    for (int k = 0; k < count; ++k) {
      const float* values = srcs[k] + first;
      for (int64_t i = 0; i < length; ++i) sums[i] += values[i];
    }
    activate(activation, sums, length);
    std::copy(sums, sums + length, dst + first);
  }
}

void to_channels_last(const float* src, int64_t c, int64_t pixels, int64_t image_begin, int64_t image_end,
                      float* dst) noexcept {
  transpose(src, c, pixels, image_begin, image_end, dst);
}

void to_channels_first(const float* src, int64_t c, int64_t pixels, int64_t image_begin, int64_t image_end,
                       float* dst) noexcept {
  transpose(src, pixels, c, image_begin, image_end, dst);
}

}  // namespace moefb::kernels::reference
