// Group normalisation, then an activation, then a sum: one pass over memory for what the reference does in six.
//
//   src  (N, pixels, c) f32
//   dst  (N, pixels, c) f32
//
// Moments are taken block by block in f32 while a block is in the L1 cache, and put together in f64 (Chan, Golub and
// LeVeque 1983, equation 2.1). A block is passed over twice, so that a mean far from zero costs no digits: the second
// pass takes distances from the first one's mean and corrects that (ibid., equation 1.7). Each channel is summed up by
// itself, over at most a few hundred pixels: no sum is split by the vector width, so all machines get the same bits.

#include <algorithm>
#include <cmath>

#include "kernels/cpu/isa.h"
#include "kernels/cpu/kernels.h"
#include "kernels/reference/activation.h"

namespace moefb::kernels::cpu {
namespace {

/// Per channel: value = (x - centre) * scale + shift.
struct Affine {
  float centre[kMaxChannels], scale[kMaxChannels], shift[kMaxChannels];
};

/// Sums of the channels over some pixels.
MOEFB_INLINE void sum_channels(const float* src, int64_t pixels, int64_t c, float* sums) noexcept {
  std::fill_n(sums, c, 0.0f);
  for (int64_t p = 0; p < pixels; ++p, src += c) {
    for (int64_t i = 0; i < c; ++i) sums[i] += src[i];
  }
}

/// Sums of distances from `centre` and of their squares.
MOEFB_INLINE void sum_distances(const float* src, int64_t pixels, int64_t c, const float* centre, float* sums,
                                float* squares) noexcept {
  std::fill_n(sums, c, 0.0f);
  std::fill_n(squares, c, 0.0f);
  for (int64_t p = 0; p < pixels; ++p, src += c) {
    for (int64_t i = 0; i < c; ++i) {
      const float distance = src[i] - centre[i];
      sums[i] += distance;
      squares[i] += distance * distance;
    }
  }
}

MOEFB_INLINE double sum_of(const float* values, int64_t count) noexcept {
  double sum = 0;
  for (int64_t i = 0; i < count; ++i) sum += static_cast<double>(values[i]);
  return sum;
}

MOEFB_INLINE void block_moments(const float* src, int64_t pixels, int64_t c, int64_t groups,
                                Moments* moments) noexcept {
  float sums[kMaxChannels], squares[kMaxChannels], centre[kMaxChannels];
  const int64_t width = c / groups;
  const double count = static_cast<double>(pixels * width);
  sum_channels(src, pixels, c, sums);
  for (int64_t g = 0; g < groups; ++g) {
    std::fill_n(centre + g * width, width, static_cast<float>(sum_of(sums + g * width, width) / count));
  }
  sum_distances(src, pixels, c, centre, sums, squares);
  for (int64_t g = 0; g < groups; ++g) {
    const double sum = sum_of(sums + g * width, width);
    moments[g].mean = static_cast<double>(centre[g * width]) + sum / count;
    moments[g].squares = std::max(0.0, sum_of(squares + g * width, width) - sum * sum / count);
  }
}

/// Adds the moments of `more_count` values to those of `count`.
MOEFB_INLINE void merge(Moments& all, double count, const Moments& more, double more_count) noexcept {
  const double distance = more.mean - all.mean, share = more_count / (count + more_count);
  all.mean += distance * share;
  all.squares += more.squares + distance * distance * count * share;
}

/// Group g's moments over the whole image. @param moments  (blocks, groups)
MOEFB_INLINE Moments merge_blocks(const GroupNorm& norm, const Moments* moments, int64_t g) noexcept {
  const int64_t width = norm.c / norm.groups, block = group_norm_block(norm.c);
  Moments all = moments[g];
  for (int64_t first = block, b = 1; first < norm.pixels; first += block, ++b) {
    merge(all, static_cast<double>(first * width), moments[b * norm.groups + g],
          static_cast<double>(std::min(block, norm.pixels - first) * width));
  }
  return all;
}

MOEFB_INLINE void set_group(const GroupNorm& norm, int64_t g, const Moments& all, Affine& affine) noexcept {
  const int64_t width = norm.c / norm.groups;
  const double variance = all.squares / static_cast<double>(norm.pixels * width);
  const double inverse = 1.0 / std::sqrt(variance + static_cast<double>(norm.eps));
  const float centre = static_cast<float>(all.mean);
  for (int64_t i = g * width; i < (g + 1) * width; ++i) {
    const double scale = inverse * static_cast<double>(norm.weight[i]);
    affine.centre[i] = centre;
    affine.scale[i] = static_cast<float>(scale);
    affine.shift[i] = static_cast<float>(norm.bias[i] + (static_cast<double>(centre) - all.mean) * scale);
  }
}

MOEFB_INLINE void activate(Activation activation, float* values, int64_t count) noexcept {
  if (activation == Activation::kSilu) {
    for (int64_t i = 0; i < count; ++i) values[i] = reference::silu(values[i]);
  } else if (activation == Activation::kRelu) {
    for (int64_t i = 0; i < count; ++i) values[i] = reference::relu(values[i]);
  }
}

/// The values of one pixel's channels, in a buffer of its own since dst may be a source.
MOEFB_INLINE void pixel_values(const GroupNorm& norm, const Affine& affine, const float* image, int64_t pixel,
                               float* dst) noexcept {
  constexpr int64_t kChunk = 64;
  float values[kChunk], sums[kChunk];
  for (int64_t first = 0; first < norm.c; first += kChunk) {
    const int64_t count = std::min(kChunk, norm.c - first), at = pixel * norm.c + first;
    const float* centre = affine.centre + first;
    const float* scale = affine.scale + first;
    const float* shift = affine.shift + first;
    const float* src = image + at;
    for (int64_t i = 0; i < count; ++i) values[i] = (src[i] - centre[i]) * scale[i] + shift[i];
    activate(norm.activation, values, count);
    if (norm.addends > 0) {
      std::copy_n(norm.addend[0] + at, count, sums);
      for (int k = 1; k < norm.addends; ++k) {
        const float* addend = norm.addend[k] + at;
        for (int64_t i = 0; i < count; ++i) sums[i] += addend[i];
      }
      for (int64_t i = 0; i < count; ++i) values[i] = sums[i] + values[i];
      activate(norm.sum_activation, values, count);
    }
    std::copy_n(values, count, dst + at);
  }
}

MOEFB_INLINE void moments_of_blocks(const GroupNorm& norm, const float* image, int64_t begin, int64_t end,
                                    Moments* moments) noexcept {
  const int64_t block = group_norm_block(norm.c);
  for (int64_t b = begin; b < end; ++b) {
    const int64_t first = b * block;
    block_moments(image + first * norm.c, std::min(block, norm.pixels - first), norm.c, norm.groups,
                  moments + b * norm.groups);
  }
}

MOEFB_INLINE void values_of_pixels(const GroupNorm& norm, const float* image, const Affine& affine, int64_t begin,
                                   int64_t end, float* dst) noexcept {
  for (int64_t pixel = begin; pixel < end; ++pixel) pixel_values(norm, affine, image, pixel, dst);
}

MOEFB_INLINE void image_affine(const GroupNorm& norm, const float* image, Affine& affine) noexcept {
  const int64_t block = group_norm_block(norm.c), width = norm.c / norm.groups;
  Moments all[kMaxGroups], more[kMaxGroups];
  block_moments(image, std::min(block, norm.pixels), norm.c, norm.groups, all);
  for (int64_t first = block; first < norm.pixels; first += block) {
    const int64_t pixels = std::min(block, norm.pixels - first);
    block_moments(image + first * norm.c, pixels, norm.c, norm.groups, more);
    for (int64_t g = 0; g < norm.groups; ++g) {
      merge(all[g], static_cast<double>(first * width), more[g], static_cast<double>(pixels * width));
    }
  }
  for (int64_t g = 0; g < norm.groups; ++g) set_group(norm, g, all[g], affine);
}

MOEFB_INLINE void whole_images(const GroupNorm& norm, const float* src, int64_t begin, int64_t end,
                               float* dst) noexcept {
  Affine affine;
  GroupNorm one = norm;  // its addends move on with the images
  for (int64_t n = begin; n < end; ++n) {
    const int64_t at = n * norm.pixels * norm.c;
    for (int k = 0; k < norm.addends; ++k) one.addend[k] = norm.addend[k] + at;
    image_affine(one, src + at, affine);
    values_of_pixels(one, src + at, affine, 0, norm.pixels, dst + at);
  }
}

MOEFB_INLINE void values_of_pixels_by_blocks(const GroupNorm& norm, const float* image, const Moments* moments,
                                             int64_t begin, int64_t end, float* dst) noexcept {
  Affine affine;
  for (int64_t g = 0; g < norm.groups; ++g) set_group(norm, g, merge_blocks(norm, moments, g), affine);
  values_of_pixels(norm, image, affine, begin, end, dst);
}

}  // namespace

Isa best_isa() noexcept {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl")) {
    return Isa::kAvx512;
  }
  if (__builtin_cpu_supports("avx2")) return Isa::kAvx2;
#endif
  return Isa::kPortable;
}

MOEFB_FOR_EACH_ISA(group_norm,
                   (const GroupNorm& norm, const float* src, int64_t image_begin, int64_t image_end, float* dst),
                   norm.isa, whole_images, (norm, src, image_begin, image_end, dst))

MOEFB_FOR_EACH_ISA(group_norm_moments,
                   (const GroupNorm& norm, const float* image, int64_t block_begin, int64_t block_end,
                    Moments* moments),
                   norm.isa, moments_of_blocks, (norm, image, block_begin, block_end, moments))

MOEFB_FOR_EACH_ISA(group_norm_values,
                   (const GroupNorm& norm, const float* image, const Moments* moments, int64_t pixel_begin,
                    int64_t pixel_end, float* dst),
                   norm.isa, values_of_pixels_by_blocks, (norm, image, moments, pixel_begin, pixel_end, dst))

}  // namespace moefb::kernels::cpu
