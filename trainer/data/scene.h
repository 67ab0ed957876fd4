// One picture of `shapes`, described before it is painted, so that it can be painted at any size.
//
// Lengths count half the shorter side of the picture: its centre is (0, 0), y points down, and the largest square in
// it reaches from -1 to 1.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "trainer/data/colour.h"
#include "trainer/data/outline.h"
#include "trainer/data/random.h"

namespace moefb::trainer {

struct Background {
  enum class Pattern : uint8_t { kPlain, kGradient, kStripes, kChecks };
  Pattern pattern = Pattern::kPlain;
  Colour first, second;
  Point direction{1, 0};  ///< of the gradient, across the stripes; length 1
  float period = 1;       ///< of stripes and checks
};

/// Clutter behind the object: a bar with round ends, or a dot where both ends are one point.
struct Mark {
  Point from, to;
  float radius = 0;
  float opacity = 0;
  Colour colour;
};

struct Object {
  enum class Style : uint8_t { kFilled, kBordered, kHollow };
  Shape shape = Shape::kCircle;
  Style style = Style::kFilled;
  Point centre;
  float radius = 0.7f;
  Point down{0, 1};  ///< where the shape's own y axis points; length 1
  Colour fill, border;
  float line = 0.1f;  ///< width of a border or a hollow shape's line, in radii
  float shading = 0;  ///< brightness falls by this share across the shape
  float shadow = 0;   ///< opacity of the shadow
};

struct Scene {
  static constexpr int kMaxMarks = 6;
  Background background;
  std::array<Mark, kMaxMarks> marks;
  int mark_count = 0;
  Object object;
  float noise = 0;  ///< standard deviation
  uint64_t noise_seed = 0;
};

/// Draws everything but the class from `random`.
Scene draw_scene(Shape shape, Random& random);

/// @param width, height  16 or more
/// @param pixels  (height, width, 3) u8, overwritten
void paint(const Scene& scene, int width, int height, std::span<uint8_t> pixels);

}  // namespace moefb::trainer
