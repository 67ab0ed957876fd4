// Sums of maps, what surrounds matrix products, and the two layouts at the edges of a model.

#include <algorithm>

#include "kernels/reference/activation.h"
#include "kernels/reference/kernels.h"

namespace moefb::kernels::reference {
namespace {

/// (N, rows, columns) -> (N, columns, rows)
void transpose(const float* src, int64_t rows, int64_t columns, int64_t image_begin, int64_t image_end,
               float* dst) noexcept {
  if (rows == 1 || columns == 1) {  // vectors, say: nothing changes places
    std::copy(src + image_begin * rows * columns, src + image_end * rows * columns, dst + image_begin * rows * columns);
    return;
  }
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

void finish_rows(const float* bias, const float* residual, Activation activation, int64_t rows, int64_t columns,
                 int64_t stride, float* dst) noexcept {
  for (int64_t row = 0; row < rows; ++row, dst += stride) {
    if (bias != nullptr) {
      for (int64_t c = 0; c < columns; ++c) dst[c] += bias[c];
    }
    if (residual != nullptr) {
      for (int64_t c = 0; c < columns; ++c) dst[c] += residual[row * stride + c];
    }
    activate(activation, dst, columns);
  }
}

void scale_by_expert(const float* src, const float* weight, int64_t E, int64_t columns, int64_t row_begin,
                     int64_t row_end, float* dst) noexcept {
  for (int64_t row = row_begin; row < row_end; ++row) {
    const float* from = src + row * E * columns;
    float* to = dst + row * E * (columns + 1);
    for (int64_t e = 0; e < E; ++e, from += columns, to += columns) {
      const float w = weight[row * E + e];
      for (int64_t c = 0; c < columns; ++c) to[c] = w * from[c];
    }
    std::copy_n(weight + row * E, E, to);
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
