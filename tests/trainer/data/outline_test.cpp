#include "trainer/data/outline.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>

#include "trainer/data/random.h"

namespace moefb::trainer {
namespace {

class EveryOutline : public ::testing::TestWithParam<int> {
 protected:
  Shape shape() const { return Shape(GetParam()); }
};

Point draw_point(Random& random, float reach) {
  return {reach * (2 * random.unit() - 1), reach * (2 * random.unit() - 1)};
}

TEST_P(EveryOutline, FitsIntoTheUnitCircle) {
  for (int degree = 0; degree < 360; ++degree) {
    const float angle = float(degree) * 3.14159265f / 180;
    EXPECT_GT(signed_distance(shape(), {1.02f * std::cos(angle), 1.02f * std::sin(angle)}), 0) << degree << " degrees";
  }
}

TEST_P(EveryOutline, FillsAVisibleShareOfTheCircle) {
  constexpr int kSteps = 200;
  int inside = 0;
  for (int y = 0; y < kSteps; ++y) {
    for (int x = 0; x < kSteps; ++x) {
      const Point p{(float(x) + 0.5f) * 2 / kSteps - 1, (float(y) + 0.5f) * 2 / kSteps - 1};
      inside += signed_distance(shape(), p) < 0 ? 1 : 0;
    }
  }
  const float area = float(inside) * 4 / (kSteps * kSteps);
  EXPECT_GT(area, 0.4f);
  EXPECT_LT(area, 2.6f);
}

// What makes a function a distance: it changes no faster than one walks ...
TEST_P(EveryOutline, ChangesNoFasterThanOneMoves) {
  Random random(1, Stream::kOrder, uint64_t(GetParam()));
  for (int i = 0; i < 20'000; ++i) {
    const Point p = draw_point(random, 1.5f);
    const Point q = p + draw_point(random, 0.1f);
    const float change = std::abs(signed_distance(shape(), p) - signed_distance(shape(), q));
    ASSERT_LE(change, length(p - q) + 1e-5f) << "from (" << p.x << ", " << p.y << ") to (" << q.x << ", " << q.y << ")";
  }
}

// ... and near the outline just as fast, nearly everywhere (not in corners). Antialiasing relies on it.
TEST_P(EveryOutline, ChangesAsFastAsOneMovesNearTheOutline) {
  Random random(2, Stream::kOrder, uint64_t(GetParam()));
  constexpr float kStep = 1e-3f;
  int near = 0;
  int steep = 0;
  for (int i = 0; i < 50'000; ++i) {
    const Point p = draw_point(random, 1.1f);
    if (std::abs(signed_distance(shape(), p)) > 0.03f) continue;
    const float dx = signed_distance(shape(), p + Point{kStep, 0}) - signed_distance(shape(), p - Point{kStep, 0});
    const float dy = signed_distance(shape(), p + Point{0, kStep}) - signed_distance(shape(), p - Point{0, kStep});
    ++near;
    steep += std::abs(length({dx, dy}) / (2 * kStep) - 1) < 0.02f ? 1 : 0;
  }
  ASSERT_GT(near, 1000);
  EXPECT_GT(float(steep) / float(near), 0.9f);
}

INSTANTIATE_TEST_SUITE_P(Shapes, EveryOutline, ::testing::Range(0, kShapeCount),
                         [](const auto& info) { return std::string(shape_name(Shape(info.param))); });

TEST(Outline, SymmetricShapesStandUpright) {
  for (const Shape shape : {Shape::kArrow, Shape::kCircle, Shape::kCross, Shape::kFlower, Shape::kHeart,
                            Shape::kHourglass, Shape::kSquare, Shape::kStar, Shape::kTriangle}) {
    Random random(3, Stream::kOrder, uint64_t(shape));
    for (int i = 0; i < 1000; ++i) {
      const Point p = draw_point(random, 1.2f);
      ASSERT_NEAR(signed_distance(shape, p), signed_distance(shape, {-p.x, p.y}), 1e-5f) << shape_name(shape);
    }
  }
}

TEST(Outline, SquareHasTheDistanceOfABox) {
  Random random(4, Stream::kOrder, 0);
  for (int i = 0; i < 10'000; ++i) {
    const Point p = draw_point(random, 1.5f);
    const Point beyond{std::abs(p.x) - 0.7f, std::abs(p.y) - 0.7f};
    const float outside = length({std::max(beyond.x, 0.0f), std::max(beyond.y, 0.0f)});
    const float inside = std::min(std::max(beyond.x, beyond.y), 0.0f);
    ASSERT_NEAR(signed_distance(Shape::kSquare, p), outside + inside, 1e-5f);
  }
}

TEST(Outline, KnownPointsLieOnTheirSide) {
  EXPECT_FLOAT_EQ(signed_distance(Shape::kCircle, {0, 0}), -0.82f);
  EXPECT_NEAR(signed_distance(Shape::kArrow, {0, -1.5f}), 0.5f, 1e-6f);  // above the tip
  EXPECT_LT(signed_distance(Shape::kArrow, {0, 0.9f}), 0);               // in the shaft
  EXPECT_GT(signed_distance(Shape::kArrow, {0.5f, 0.5f}), 0);            // beside it
  EXPECT_GT(signed_distance(Shape::kHeart, {0, -0.65f}), 0);             // the notch
  EXPECT_LT(signed_distance(Shape::kHeart, {0, 0.8f}), 0);               // the tip
  EXPECT_GT(signed_distance(Shape::kCrescent, {0.5f, 0}), 0);            // the hollow
  EXPECT_LT(signed_distance(Shape::kCrescent, {-0.5f, 0}), 0);
  EXPECT_LT(signed_distance(Shape::kStar, {0, -0.9f}), 0);     // a point of the star
  EXPECT_GT(signed_distance(Shape::kStar, {0.4f, -0.6f}), 0);  // between two points
}

TEST(Outline, SegmentDistanceKnowsItsEnds) {
  EXPECT_FLOAT_EQ(segment_distance({0.5f, 2}, {0, 0}, {1, 0}), 2);
  EXPECT_FLOAT_EQ(segment_distance({4, 4}, {0, 0}, {1, 0}), 5);
  EXPECT_FLOAT_EQ(segment_distance({-3, 0}, {0, 0}, {1, 0}), 3);
  EXPECT_FLOAT_EQ(segment_distance({3, 4}, {0, 0}, {0, 0}), 5);
}

TEST(Outline, NamesDiffer) {
  std::set<std::string> names;
  for (int i = 0; i < kShapeCount; ++i) names.insert(shape_name(Shape(i)));
  EXPECT_EQ(names.size(), size_t(kShapeCount));
}

}  // namespace
}  // namespace moefb::trainer
