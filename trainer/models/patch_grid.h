// Patches: a map cut into square tokens, the way back, and where each token was (spec/patch-moe.md, section 2).
#pragma once

#include <ATen/core/Tensor.h>

namespace moefb::trainer {

/// Values of a position vector: two coordinates, and four sines and four cosines of each.
inline constexpr int64_t kPositionFeatures = 18;

/// The patches of one image.
struct PatchGrid {
  int64_t rows = 0;
  int64_t columns = 0;
  int64_t side = 0;  ///< of one patch, in pixels

  int64_t patches() const { return rows * columns; }
};

/// How a (B, C, H, W) map is cut: sizes that `side` does not divide are rounded up.
PatchGrid patch_grid(const at::Tensor& map, int64_t side);

/// (B, C, H, W) to (B * patches, C, side, side): image by image, each row by row; zeros right and below where the grid
/// is larger than the map.
at::Tensor split_patches(const at::Tensor& map, const PatchGrid& grid);

/// The inverse: (B * patches, C, side, side) to (B, C, rows * side, columns * side). Padding stays.
at::Tensor join_patches(const at::Tensor& tokens, const PatchGrid& grid);

/// (patches, 18) f32: x and y in [0, 1] (0 in a grid of one), then sin(pi 2^k x) for k = 0..3, the cosines, and the
/// same eight for y.
at::Tensor position_features(const PatchGrid& grid);

}  // namespace moefb::trainer
