#include "trainer/data/random_erasing.h"

#include <cmath>
#include <numbers>

namespace moefb::trainer {
namespace {

constexpr int kTries = 10;

/// Box and Muller's transform.
float draw_normal(Random& random) {
  const float radius = std::sqrt(-2 * std::log(1 - random.unit()));  // 1 - unit() is never 0
  const float angle = 2 * std::numbers::pi_v<float> * random.unit();
  return radius * std::cos(angle);
}

}  // namespace

std::optional<Box> draw_erasing(int height, int width, const AugmentConfig& augment, Random& random) {
  if (random.between(0, 1) >= augment.erasing) return std::nullopt;
  const Range area{augment.erase_area_min, augment.erase_area_max};
  const Range aspect{augment.erase_aspect_min, augment.erase_aspect_max};
  for (int i = 0; i < kTries; ++i) {
    const Sides sides = draw_sides(height, width, area, aspect, random);
    if (sides.numerator >= height || sides.denominator >= width) continue;
    return place_box(height, width, sides.numerator, sides.denominator, random);
  }
  return std::nullopt;
}

void erase(const Box& box, int height, int width, Random& random, std::span<float> planes) {
  for (int channel = 0; channel < 3; ++channel) {
    for (int y = box.top; y < box.top + box.height; ++y) {
      float* row = &planes[(size_t(channel) * size_t(height) + size_t(y)) * size_t(width)];
      for (int x = box.left; x < box.left + box.width; ++x) row[x] = draw_normal(random);
    }
  }
}

}  // namespace moefb::trainer
