#include "trainer/models/patch_grid.h"

#include <ATen/ATen.h>

#include <cmath>
#include <numbers>

namespace moefb::trainer {
namespace {

constexpr int kFrequencies = 4;

// In float64, rounded once: the sine of a large float32 multiple of pi is off by more than it need be.
float* write_waves(double coordinate, float* out) {
  for (int k = 0; k < kFrequencies; ++k) *out++ = float(std::sin(std::numbers::pi * (1 << k) * coordinate));
  for (int k = 0; k < kFrequencies; ++k) *out++ = float(std::cos(std::numbers::pi * (1 << k) * coordinate));
  return out;
}

double coordinate(int64_t index, int64_t count) {
  return count == 1 ? 0.0 : double(index) / double(count - 1);
}

}  // namespace

PatchGrid patch_grid(const at::Tensor& map, int64_t side) {
  return {(map.size(2) + side - 1) / side, (map.size(3) + side - 1) / side, side};
}

at::Tensor split_patches(const at::Tensor& map, const PatchGrid& grid) {
  const int64_t below = grid.rows * grid.side - map.size(2);
  const int64_t right = grid.columns * grid.side - map.size(3);
  const at::Tensor padded = below == 0 && right == 0 ? map : at::constant_pad_nd(map, {0, right, 0, below});
  return padded.view({map.size(0), map.size(1), grid.rows, grid.side, grid.columns, grid.side})
      .permute({0, 2, 4, 1, 3, 5})
      .reshape({map.size(0) * grid.patches(), map.size(1), grid.side, grid.side});
}

at::Tensor join_patches(const at::Tensor& tokens, const PatchGrid& grid) {
  const int64_t images = tokens.size(0) / grid.patches();
  return tokens.view({images, grid.rows, grid.columns, tokens.size(1), grid.side, grid.side})
      .permute({0, 3, 1, 4, 2, 5})
      .reshape({images, tokens.size(1), grid.rows * grid.side, grid.columns * grid.side});
}

at::Tensor position_features(const PatchGrid& grid) {
  const at::Tensor features = at::empty({grid.patches(), kPositionFeatures}, at::kFloat);
  float* out = features.mutable_data_ptr<float>();
  for (int64_t row = 0; row < grid.rows; ++row) {
    for (int64_t column = 0; column < grid.columns; ++column) {
      const double x = coordinate(column, grid.columns);
      const double y = coordinate(row, grid.rows);
      *out++ = float(x);
      *out++ = float(y);
      out = write_waves(y, write_waves(x, out));
    }
  }
  return features;
}

}  // namespace moefb::trainer
