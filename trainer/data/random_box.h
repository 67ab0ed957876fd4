// A random rectangle inside a picture, of a given share of its area: what resized crops keep and erasing destroys.
#pragma once

#include <cmath>

#include "trainer/data/random.h"

namespace moefb::trainer {

struct Box {
  int top = 0;
  int left = 0;
  int height = 0;
  int width = 0;
};

struct Range {
  double min;
  double max;
};

/// Sides of a rectangle: area uniform in the range (in parts of the picture's), `numerator` over `denominator`
/// log-uniform, so that 1/2 is as likely as 2. Sides are rounded half to even, as Python does. May not fit the picture.
struct Sides {
  int numerator;
  int denominator;
};

inline Sides draw_sides(int height, int width, Range area, Range aspect, Random& random) {
  const double target = double(height) * width * random.between(area.min, area.max);
  const double ratio = std::exp(random.between(std::log(aspect.min), std::log(aspect.max)));
  return {int(std::nearbyint(std::sqrt(target * ratio))), int(std::nearbyint(std::sqrt(target / ratio)))};
}

/// Every place inside the picture with equal chance.
inline Box place_box(int height, int width, int box_height, int box_width, Random& random) {
  Box box{0, 0, box_height, box_width};
  box.top = int(random.below(uint32_t(height - box_height) + 1));
  box.left = int(random.below(uint32_t(width - box_width) + 1));
  return box;
}

}  // namespace moefb::trainer
