// The twelve outlines of the `shapes` data set, as signed distances.
#pragma once

#include <cstdint>

namespace moefb::trainer {

/// The classes of `shapes`; the value is the label.
enum class Shape : uint8_t {
  kArrow,
  kCircle,
  kCrescent,
  kCross,
  kFlower,
  kHeart,
  kHourglass,
  kLightning,
  kSpiral,
  kSquare,
  kStar,
  kTriangle,
};
inline constexpr int kShapeCount = 12;
const char* shape_name(Shape shape);

struct Point {
  float x = 0;
  float y = 0;
};
inline Point operator+(Point a, Point b) {
  return {a.x + b.x, a.y + b.y};
}
inline Point operator-(Point a, Point b) {
  return {a.x - b.x, a.y - b.y};
}
inline Point operator*(Point a, float s) {
  return {a.x * s, a.y * s};
}
inline float dot(Point a, Point b) {
  return a.x * b.x + a.y * b.y;
}
float length(Point a);

/// Distance from p to the segment from a to b.
float segment_distance(Point p, Point a, Point b);

/// Distance from p to the outline of `shape`, negative inside. The shape stands upright around the origin (y down) and
/// fits into the unit circle. Exact near the outline, which is all that edges, borders and soft shadows look at, but
/// for the notches of the flower, whose petals keep their outlines inside (a border then shows them).
float signed_distance(Shape shape, Point p);

}  // namespace moefb::trainer
