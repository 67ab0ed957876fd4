// The readable version of every op, kept for good: the fast versions are tested against it, and it runs any model
// alone.
//
// Maps are (N, H, W, C) f32, row-major; a vector is a 1 x 1 map. Every function works on a range of its outermost
// units, so that a caller can share the units among threads; which thread does a unit never changes its bits. No
// function allocates. Compiled without contraction of a*b+c into one rounding, so that every machine computes the same
// bits.
#pragma once

#include <cstdint>

namespace moefb::kernels {

enum class Activation : uint8_t { kNone, kRelu, kSilu };

/// Extents of a 2-D convolution or pooling.
struct Window {
  int64_t h = 1, w = 1, c = 1;      ///< input map
  int64_t oh = 1, ow = 1, o = 1;    ///< output map
  int64_t kh = 1, kw = 1;           ///< kernel
  int64_t stride = 1, padding = 0;  ///< zeros on every side
};

namespace reference {

/// Reorders convolution weights (O, I, KH, KW) to (KH, KW, I, O), so that the innermost loop runs over outputs. A
/// linear layer's (O, I) is the case KH = KW = 1.
void pack_conv2d(const float* weights, int64_t o, int64_t i, int64_t kh, int64_t kw, float* packed) noexcept;

/// dst = act(conv(src) + bias [+ residual]). A linear layer is the case of 1 x 1 extents. Each output adds up its
/// products in the order (kh, kw, i), whatever the other outputs do: equal weight rows give equal bits.
/// @param src       (N, h, w, c)
/// @param packed    from pack_conv2d
/// @param bias      (o) or null
/// @param residual  (N, oh, ow, o) or null
/// @param row_begin, row_end  of the N * oh output rows
/// @param dst       (N, oh, ow, o)
void conv2d(const Window& window, const float* src, const float* packed, const float* bias, const float* residual,
            Activation activation, int64_t row_begin, int64_t row_end, float* dst) noexcept;

/// Maximum over the window; padding counts as minus infinity. Rows as in conv2d.
void max_pool(const Window& window, const float* src, int64_t row_begin, int64_t row_end, float* dst) noexcept;

/// (N, pixels, c) -> (N, c), for images image_begin to image_end.
void global_average_pool(const float* src, int64_t pixels, int64_t c, int64_t image_begin, int64_t image_end,
                         float* dst) noexcept;

/// dst = act((src - mean) / sqrt(var + eps) * weight + bias) over (pixels, c / groups) of each image; biased variance.
/// Wu and He 2018 (arXiv:1803.08494), equation 1.
void group_norm(const float* src, int64_t pixels, int64_t c, int64_t groups, float eps, const float* weight,
                const float* bias, Activation activation, int64_t image_begin, int64_t image_end, float* dst) noexcept;

/// dst[i] = act(sum of srcs[k][i]) for i in begin to end. dst may be one of the sources.
void add(const float* const* srcs, int count, Activation activation, int64_t begin, int64_t end, float* dst) noexcept;

/// dst = act(dst + bias [+ residual]): what is left to do after a matrix product. Rows of `columns` values lie `stride`
/// apart in dst and residual.
/// @param bias      (columns) or null
/// @param residual  or null
void finish_rows(const float* bias, const float* residual, Activation activation, int64_t rows, int64_t columns,
                 int64_t stride, float* dst) noexcept;

/// dst[row][e * columns + c] = weight[row][e] * src[row][e * columns + c], and behind these the row's weights
/// themselves, for rows row_begin to row_end: what turns a weighted sum of E linear layers into one matrix product,
/// whose last E rows are their biases.
/// @param src     (rows, E * columns)
/// @param weight  (rows, E)
/// @param dst     (rows, E * columns + E)
void scale_by_expert(const float* src, const float* weight, int64_t E, int64_t columns, int64_t row_begin,
                     int64_t row_end, float* dst) noexcept;

/// (N, C, pixels) <-> (N, pixels, C) for images image_begin to image_end.
void to_channels_last(const float* src, int64_t c, int64_t pixels, int64_t image_begin, int64_t image_end,
                      float* dst) noexcept;
void to_channels_first(const float* src, int64_t c, int64_t pixels, int64_t image_begin, int64_t image_end,
                       float* dst) noexcept;

}  // namespace reference
}  // namespace moefb::kernels
