#include "trainer/data/warp.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace moefb::trainer {

Affine shear_x(double amount) {
  return {.xy = amount};
}

Affine shear_y(double amount) {
  return {.yx = amount};
}

Affine translate(double right, double down) {
  return {.x0 = -right, .y0 = -down};
}

Affine rotate(double degrees, int width, int height) {
  const double angle = degrees * std::numbers::pi / 180;
  const double c = std::cos(angle);
  const double s = std::sin(angle);
  const double x = 0.5 * width;
  const double y = 0.5 * height;
  return {.xx = c, .xy = -s, .x0 = x - c * x + s * y, .yx = s, .yy = c, .y0 = y - s * x - c * y};
}

std::vector<uint8_t> warp(std::span<const uint8_t> pixels, int width, int height, const Affine& source) {
  std::vector<uint8_t> out(pixels.size(), 0);
  uint8_t* dst = out.data();
  for (int row = 0; row < height; ++row) {
    const double x0 = source.xy * (row + 0.5) + source.x0;
    const double y0 = source.yy * (row + 0.5) + source.y0;
    for (int column = 0; column < width; ++column, dst += 3) {
      const double x = source.xx * (column + 0.5) + x0;
      const double y = source.yx * (column + 0.5) + y0;
      if (x < 0 || x >= width || y < 0 || y >= height) continue;
      std::copy_n(&pixels[(size_t(y) * size_t(width) + size_t(x)) * 3], 3, dst);
    }
  }
  return out;
}

}  // namespace moefb::trainer
