// A picture sheared, moved or rotated: nearest pixel, black where there was none, as PIL's affine transform does it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace moefb::trainer {

/// Where an output pixel comes from: its centre (x, y), in pixels from the top left corner, lies at
/// (xx x + xy y + x0, yx x + yy y + y0) in the source.
struct Affine {
  double xx = 1, xy = 0, x0 = 0;
  double yx = 0, yy = 1, y0 = 0;
};

Affine shear_x(double amount);                         ///< row y moves left by amount * y
Affine shear_y(double amount);                         ///< column x moves up by amount * x
Affine translate(double right, double down);           ///< in pixels
Affine rotate(double degrees, int width, int height);  ///< counter-clockwise, about the centre

/// @param pixels  (height, width, 3)
/// @return        the same size
std::vector<uint8_t> warp(std::span<const uint8_t> pixels, int width, int height, const Affine& source);

}  // namespace moefb::trainer
