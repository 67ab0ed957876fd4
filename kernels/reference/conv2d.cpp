// Convolution by register tiles: a few output pixels times a few output channels are summed up at once.
//
//   src     (N, h, w, c) f32
//   packed  (kh, kw, c, o) f32
//   dst     (N, oh, ow, o) f32
//
// A lane is an output channel, so no sum is ever split: each output adds its products in the order (kh, kw, i) whatever
// tile it falls into. Taps of one kernel row are neighbours in src and in packed, so a tile runs over kw and i in one
// loop. Pixels are tiled with others that meet the same taps: neighbours in a row, or the same place in other images,
// which is what makes linear layers and 2 x 2 patches fast.

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "kernels/reference/activation.h"
#include "kernels/reference/kernels.h"
#include "kernels/reference/taps.h"

namespace moefb::kernels::reference {
namespace {

using Lanes = float __attribute__((vector_size(16)));  // what every x86-64 and ARM has

template <typename V>
constexpr int kWidth = std::is_same_v<V, Lanes> ? 4 : 1;  // channels in a vector

constexpr int kTilePixels = 4;    // x 2 vectors: 8 sums, 2 weights, a pixel and a product fit 16 registers
constexpr int kGroupPixels = 32;  // share a panel of weights while it is in cache

/// Offsets of an output's window (its corner may lie in the padding, before src) and of its channels in dst.
struct Pixel {
  int64_t window, dst;
};

struct Conv {
  const Window& window;
  const float* src;
  const float* packed;
  const float* bias;
  const float* residual;
  Activation activation;
  float* dst;
};

template <typename V>
V load(const float* p) noexcept {
  V v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

template <typename V>
void store(V v, float* p) noexcept {
  std::memcpy(p, &v, sizeof v);
}

/// Adds the products of one kernel row: `taps` weight rows of `o` channels, against `taps` values of each pixel.
template <typename V, int P, int G>
void add_products(const float* const (&values)[P], const float* weights, int64_t taps, int64_t o,
                  V (&sums)[P][G]) noexcept {
  for (int64_t tap = 0; tap < taps; ++tap, weights += o) {
    V weight[G];
#pragma GCC unroll 4
    for (int g = 0; g < G; ++g) weight[g] = load<V>(weights + g * kWidth<V>);
#pragma GCC unroll 4
    for (int p = 0; p < P; ++p) {
#pragma GCC unroll 4
      for (int g = 0; g < G; ++g) sums[p][g] += values[p][tap] * weight[g];
    }
  }
}

/// Outputs `channel` to `channel` + G vectors of P pixels, but for the activation.
template <typename V, int P, int G>
void tile(const Conv& conv, const TapSpan& y, const TapSpan& x, const Pixel* pixels, int64_t channel) noexcept {
  const Window& window = conv.window;
  V sums[P][G] = {};
  const int64_t last = x.taps() > 0 ? y.tap_end : y.tap_begin;
  for (int64_t ky = y.tap_begin; ky < last; ++ky) {
    const float* values[P];
    for (int p = 0; p < P; ++p) {
      values[p] = conv.src + (pixels[p].window + (ky * window.w + x.tap_begin) * window.c);
    }
    const float* weights = conv.packed + (ky * window.kw + x.tap_begin) * window.c * window.o + channel;
    add_products<V, P, G>(values, weights, x.taps() * window.c, window.o, sums);
  }
#pragma GCC unroll 4
  for (int p = 0; p < P; ++p) {
#pragma GCC unroll 4
    for (int g = 0; g < G; ++g) {
      const int64_t at = channel + g * kWidth<V>;
      V value = sums[p][g];
      if (conv.bias) value += load<V>(conv.bias + at);
      if (conv.residual) value += load<V>(conv.residual + pixels[p].dst + at);
      store(value, conv.dst + pixels[p].dst + at);
    }
  }
}

/// Runs tile() over `count` pixels, the rest of a division by kTilePixels one by one.
template <typename V, int G>
void column(const Conv& conv, const TapSpan& y, const TapSpan& x, const Pixel* pixels, int count,
            int64_t channel) noexcept {
  int p = 0;
  for (; p + kTilePixels <= count; p += kTilePixels) tile<V, kTilePixels, G>(conv, y, x, pixels + p, channel);
  for (; p < count; ++p) tile<V, 1, G>(conv, y, x, pixels + p, channel);
}

/// All channels of up to kGroupPixels pixels with the same taps.
void group(const Conv& conv, const TapSpan& y, const TapSpan& x, const Pixel* pixels, int count) noexcept {
  const int64_t o = conv.window.o;
  int64_t channel = 0;
  for (; channel + 8 <= o; channel += 8) column<Lanes, 2>(conv, y, x, pixels, count, channel);
  for (; channel + 4 <= o; channel += 4) column<Lanes, 1>(conv, y, x, pixels, count, channel);
  for (; channel < o; ++channel) column<float, 1>(conv, y, x, pixels, count, channel);
  for (int p = 0; p < count; ++p) activate(conv.activation, conv.dst + pixels[p].dst, o);
}

/// All pixels of the rows whose place in their image lies in y and whose column lies in x.
void span(const Conv& conv, const TapSpan& y, const TapSpan& x, int64_t row_begin, int64_t row_end) noexcept {
  const Window& window = conv.window;
  Pixel pixels[kGroupPixels];
  int count = 0;
  for (int64_t n = row_begin / window.oh; n * window.oh < row_end; ++n) {
    const int64_t oy_begin = std::max(y.begin, row_begin - n * window.oh);
    const int64_t oy_end = std::min(y.end, row_end - n * window.oh);
    for (int64_t oy = oy_begin; oy < oy_end; ++oy) {
      const int64_t src_row = n * window.h + oy * window.stride - window.padding;
      for (int64_t ox = x.begin; ox < x.end; ++ox) {
        pixels[count++] = {(src_row * window.w + ox * window.stride - window.padding) * window.c,
                           ((n * window.oh + oy) * window.ow + ox) * window.o};
        if (count == kGroupPixels) {
          group(conv, y, x, pixels, count);
          count = 0;
        }
      }
    }
  }
  group(conv, y, x, pixels, count);
}

}  // namespace

void pack_conv2d(const float* weights, int64_t o, int64_t i, int64_t kh, int64_t kw, float* packed) noexcept {
  const int64_t taps = kh * kw;
  for (int64_t tap = 0; tap < taps; ++tap) {
    for (int64_t in = 0; in < i; ++in) {
      for (int64_t out = 0; out < o; ++out) *packed++ = weights[(out * i + in) * taps + tap];
    }
  }
}

void conv2d(const Window& window, const float* src, const float* packed, const float* bias, const float* residual,
            Activation activation, int64_t row_begin, int64_t row_end, float* dst) noexcept {
  const Conv conv{window, src, packed, bias, residual, activation, dst};
  for (TapSpan y = tap_span(vertical(window), 0); y.begin < window.oh; y = tap_span(vertical(window), y.end)) {
    for (TapSpan x = tap_span(horizontal(window), 0); x.begin < window.ow; x = tap_span(horizontal(window), x.end)) {
      span(conv, y, x, row_begin, row_end);
    }
  }
}

}  // namespace moefb::kernels::reference
