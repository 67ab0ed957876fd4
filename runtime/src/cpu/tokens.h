// Tokens as squares of a channels-last map: where their pixels lie. A feature vector is the 1 x 1 case.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "graph/graph.h"

namespace moefb::cpu {

/// One line of a token in a map: `pixels` of its pixels lie inside, from `data` on.
struct TokenLine {
  float* data;
  int64_t pixels;
};

/// One MoE layer's way from maps (N, h, w, c) to tokens (T, patch, patch, c) and back. The output map has the padded
/// size, or the input's where the padding is cropped.
class Tokens {
 public:
  Tokens(const graph::Extent& input, int patch, bool crop_padding) noexcept
      : in_(input),
        patch_(patch),
        grid_(graph::token_grid(input, patch)),
        out_h_(crop_padding ? input.h : grid_.rows * patch),
        out_w_(crop_padding ? input.w : grid_.columns * patch) {}

  int64_t per_image() const noexcept { return grid_.per_image(); }
  const graph::TokenGrid& grid() const noexcept { return grid_; }
  int64_t patch() const noexcept { return patch_; }
  const graph::Extent& input() const noexcept { return in_; }
  int64_t channels() const noexcept { return in_.c; }
  int64_t elements() const noexcept { return patch_ * patch_ * in_.c; }

  /// Copies token t's pixels out of the input map; pixels of the padding are 0.
  void gather(const float* map, int64_t t, float* token) const noexcept {
    for (int64_t y = 0; y < patch_; ++y) copy_line(map, place(t), y, patch_, token + y * patch_ * in_.c);
  }

  /// Calls fn for every pixel of token t, row-major: a pointer to its channels, null for a pixel of the padding.
  template <typename Fn>
  void for_each_pixel(const float* map, int64_t t, const Fn& fn) const noexcept {
    const Place p = place(t);
    for (int64_t y = p.y; y < p.y + patch_; ++y) {
      for (int64_t x = p.x; x < p.x + patch_; ++x) {
        fn(y < in_.h && x < in_.w ? map + ((p.image * in_.h + y) * in_.w + x) * in_.c : nullptr);
      }
    }
  }

  /// Copies token t from the input map to its place in an output map of as many channels.
  void copy_to_output(const float* map, int64_t t, float* output) const noexcept {
    for (int64_t y = 0; y < patch_; ++y) {
      const TokenLine line = output_line(output, t, y, in_.c);
      copy_line(map, place(t), y, line.pixels, line.data);
    }
  }

  /// Line y of token t in the output map (N, out_h, out_w, channels).
  TokenLine output_line(float* map, int64_t t, int64_t y, int64_t channels) const noexcept {
    const Place p = place(t);
    if (p.y + y >= out_h_) return {nullptr, 0};
    return {map + ((p.image * out_h_ + p.y + y) * out_w_ + p.x) * channels, std::min(patch_, out_w_ - p.x)};
  }

 private:
  struct Place {
    int64_t image, y, x;
  };
  Place place(int64_t t) const noexcept {
    const int64_t image = t / grid_.per_image(), in_image = t % grid_.per_image();
    return {image, in_image / grid_.columns * patch_, in_image % grid_.columns * patch_};
  }

  /// The first `pixels` pixels of line y of the token at p; zeros for the padding.
  void copy_line(const float* map, const Place& p, int64_t y, int64_t pixels, float* dst) const noexcept {
    const int64_t inside = p.y + y < in_.h ? std::clamp<int64_t>(in_.w - p.x, 0, pixels) * in_.c : 0;
    if (inside > 0)
      std::memcpy(dst, map + ((p.image * in_.h + p.y + y) * in_.w + p.x) * in_.c, size_t(inside) * sizeof(float));
    std::fill(dst + inside, dst + pixels * in_.c, 0.0f);
  }

  graph::Extent in_;
  int64_t patch_;
  graph::TokenGrid grid_;
  int64_t out_h_, out_w_;  ///< of the output map
};

}  // namespace moefb::cpu
