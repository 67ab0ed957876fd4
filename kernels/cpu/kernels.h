// The fast versions of what has one, beside oneDNN: same meaning as in kernels/reference, other rounding.
//
// Plain loops that the compiler vectorises, compiled for AVX-512, AVX2 and any CPU (isa.h). Neither that choice nor the
// number of threads changes a bit: sums are cut into fixed blocks that are added up in order.
#pragma once

#include <cstdint>

#include "kernels/reference/kernels.h"

namespace moefb::kernels::cpu {

inline constexpr int64_t kMaxChannels = 2048;  ///< that group_norm takes, whose tables lie on the stack
inline constexpr int64_t kMaxGroups = 64;
inline constexpr int kMaxAddends = 7;

enum class Isa : uint8_t { kPortable, kAvx2, kAvx512 };

/// The best that this CPU has.
Isa best_isa() noexcept;

/// Mean of some values, and the sum of their squared distances from it.
struct Moments {
  double mean, squares;
};

/// What surrounds the normalisation of one layer.
struct GroupNorm {
  int64_t pixels, c, groups;  ///< of one image; c <= kMaxChannels, a multiple of groups; groups <= kMaxGroups
  float eps;
  const float* weight;    ///< (c)
  const float* bias;      ///< (c)
  Activation activation;  ///< of the normalised values
  int addends = 0;        ///< maps of src's shape that are added to these
  const float* addend[kMaxAddends] = {};
  Activation sum_activation = Activation::kNone;  ///< of the sum; only with addends
  Isa isa = best_isa();
};

/// Pixels of a block: 16 KB of values, read twice while they are in the L1 cache, and no long f32 sum.
constexpr int64_t group_norm_block(int64_t c) noexcept {
  return c <= 16 ? 256 : c < 4096 ? 4096 / c : 1;
}
constexpr int64_t group_norm_blocks(int64_t pixels, int64_t c) noexcept {
  return (pixels + group_norm_block(c) - 1) / group_norm_block(c);
}

/// dst = sum_activation(addends + activation((src - mean) / sqrt(var + eps) * weight + bias)), whole images by one
/// thread. Wu and He 2018 (arXiv:1803.08494), equation 1. dst may be src or an addend.
/// @param src, dst  (N, pixels, c), and so every addend
void group_norm(const GroupNorm& norm, const float* src, int64_t image_begin, int64_t image_end, float* dst) noexcept;

/// The same in two steps, for several threads to share an image: moments of its blocks, then the values of its pixels.
/// @param image    (pixels, c), and so the addends and dst
/// @param moments  (blocks, groups) out
void group_norm_moments(const GroupNorm& norm, const float* image, int64_t block_begin, int64_t block_end,
                        Moments* moments) noexcept;
void group_norm_values(const GroupNorm& norm, const float* image, const Moments* moments, int64_t pixel_begin,
                       int64_t pixel_end, float* dst) noexcept;

}  // namespace moefb::kernels::cpu
