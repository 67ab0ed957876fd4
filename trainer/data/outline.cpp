// Only +, -, *, /, sqrt and comparisons: IEEE 754 fixes their results to the last bit, while sine or arctangent differ
// between libraries. So angles are written out as coordinates and the spiral is made of half circles.
#include "trainer/data/outline.h"

#include <algorithm>
#include <cmath>
#include <span>

namespace moefb::trainer {
namespace {

constexpr Point kArrow[] = {{0, -1},         {0.72f, -0.16f},  {0.27f, -0.16f}, {0.27f, 0.95f},
                            {-0.27f, 0.95f}, {-0.27f, -0.16f}, {-0.72f, -0.16f}};
constexpr Point kCross[] = {{-0.3f, -0.95f}, {0.3f, -0.95f}, {0.3f, -0.3f},   {0.95f, -0.3f},
                            {0.95f, 0.3f},   {0.3f, 0.3f},   {0.3f, 0.95f},   {-0.3f, 0.95f},
                            {-0.3f, 0.3f},   {-0.95f, 0.3f}, {-0.95f, -0.3f}, {-0.3f, -0.3f}};
constexpr Point kHourglass[] = {{-0.68f, -0.72f}, {0.68f, -0.72f}, {0.13f, 0},
                                {0.68f, 0.72f},   {-0.68f, 0.72f}, {-0.13f, 0}};
constexpr Point kLightning[] = {{0.38f, -0.92f}, {-0.55f, 0.2f}, {-0.12f, 0.2f},
                                {-0.38f, 0.92f}, {0.55f, -0.2f}, {0.12f, -0.2f}};
constexpr Point kSquare[] = {{-0.7f, -0.7f}, {0.7f, -0.7f}, {0.7f, 0.7f}, {-0.7f, 0.7f}};
// Five points at radius 1, five at 0.42, each 36 degrees on.
constexpr Point kStar[] = {
    {0, -1},    {0.2469f, -0.3398f}, {0.9511f, -0.309f},  {0.3994f, 0.1298f},  {0.5878f, 0.809f},
    {0, 0.42f}, {-0.5878f, 0.809f},  {-0.3994f, 0.1298f}, {-0.9511f, -0.309f}, {-0.2469f, -0.3398f}};
constexpr Point kTriangle[] = {{0, -1}, {0.866f, 0.5f}, {-0.866f, 0.5f}};

/// Negative inside: each edge that a ray from p to the right crosses changes the side.
float polygon_distance(Point p, std::span<const Point> corners) {
  float nearest = 1e9f;  // squared
  bool inside = false;
  Point a = corners.back();
  for (const Point b : corners) {
    const Point edge = b - a;
    const Point to_p = p - a;
    const float along = std::clamp(dot(to_p, edge) / dot(edge, edge), 0.0f, 1.0f);
    const Point gap = to_p - edge * along;
    nearest = std::min(nearest, dot(gap, gap));
    if ((a.y > p.y) != (b.y > p.y) && edge.x * to_p.y * (edge.y > 0 ? 1.0f : -1.0f) > to_p.x * std::abs(edge.y)) {
      inside = !inside;
    }
    a = b;
  }
  return inside ? -std::sqrt(nearest) : std::sqrt(nearest);
}

float disc_distance(Point p, Point centre, float radius) {
  return length(p - centre) - radius;
}

float crescent_distance(Point p) {
  return std::max(disc_distance(p, {0.1f, 0}, 0.95f), -disc_distance(p, {0.58f, 0}, 0.76f));
}

/// Five petals around a disc.
float flower_distance(Point p) {
  constexpr float kReach = 0.58f;
  float nearest = disc_distance(p, {0, 0}, 0.42f);
  for (int petal = 0; petal < 5; ++petal) {
    nearest = std::min(nearest, disc_distance(p, kStar[2 * petal] * kReach, 0.39f));
  }
  return nearest;
}

/// A square standing on its corner, and half a disc on each of its upper edges. The union of their distances would be
/// wrong inside, where a half disc meets a corner, so the outline is measured: lower edges and outer half circles.
float heart_distance(Point p) {
  constexpr float kHalf = 0.74f;  // half the diagonal of the square
  constexpr float kRadius = kHalf * 0.70710678f;
  const Point q{std::abs(p.x), p.y - 0.1f};
  const Point lobe{q.x - kHalf / 2, q.y + kHalf / 2};
  const float to_edge = segment_distance(q, {0, kHalf}, {kHalf, 0});
  const float to_lobe = lobe.x >= lobe.y ? std::abs(length(lobe) - kRadius) : length(q - Point{0, -kHalf});
  const bool inside = q.x + std::abs(q.y) < kHalf || length(lobe) < kRadius;
  return inside ? -std::min(to_edge, to_lobe) : std::min(to_edge, to_lobe);
}

/// A line along four half circles, alternately about two centres and each wider than the one before by their distance.
float spiral_distance(Point p) {
  constexpr float kStep = 0.2f;
  constexpr float kHalfLine = 0.1f;
  float nearest = 1e9f;
  for (int turn = 1; turn <= 4; ++turn) {
    const float sign = turn % 2 == 0 ? 1.0f : -1.0f;  // even half circles lie below, about the right centre
    const float radius = kStep * float(turn);
    const Point centre{sign * kStep / 2, 0};
    const Point q = p - centre;
    const float to_ends = length(Point{std::abs(q.x) - radius, q.y});
    nearest = std::min(nearest, q.y * sign >= 0 ? std::abs(length(q) - radius) : to_ends);
  }
  return nearest - kHalfLine;
}

}  // namespace

const char* shape_name(Shape shape) {
  static constexpr const char* kNames[kShapeCount] = {"arrow",  "circle", "crescent",  "cross",
                                                      "flower", "heart",  "hourglass", "lightning",
                                                      "spiral", "square", "star",      "triangle"};
  return kNames[int(shape)];
}

float length(Point a) {
  return std::sqrt(dot(a, a));
}

float segment_distance(Point p, Point a, Point b) {
  const Point edge = b - a;
  const float squared = dot(edge, edge);
  const float along = squared > 0 ? std::clamp(dot(p - a, edge) / squared, 0.0f, 1.0f) : 0.0f;
  return length(p - a - edge * along);
}

float signed_distance(Shape shape, Point p) {
  switch (shape) {
    case Shape::kArrow:
      return polygon_distance(p, kArrow);
    case Shape::kCircle:
      return disc_distance(p, {0, 0}, 0.82f);
    case Shape::kCrescent:
      return crescent_distance(p);
    case Shape::kCross:
      return polygon_distance(p, kCross);
    case Shape::kFlower:
      return flower_distance(p);
    case Shape::kHeart:
      return heart_distance(p);
    case Shape::kHourglass:
      return polygon_distance(p, kHourglass);
    case Shape::kLightning:
      return polygon_distance(p, kLightning);
    case Shape::kSpiral:
      return spiral_distance(p);
    case Shape::kSquare:
      return polygon_distance(p, kSquare);
    case Shape::kStar:
      return polygon_distance(p, kStar);
    case Shape::kTriangle:
      return polygon_distance(p, kTriangle);
  }
  return 0;
}

}  // namespace moefb::trainer
