#include "trainer/data/scene.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace moefb::trainer {
namespace {

std::vector<uint8_t> painted(const Scene& scene, int width, int height) {
  std::vector<uint8_t> pixels(size_t(width) * size_t(height) * 3);
  paint(scene, width, height, pixels);
  return pixels;
}

Scene drawn(Shape shape, uint64_t index) {
  Random random(1, Stream::kTrainPicture, index);
  return draw_scene(shape, random);
}

/// White on black, nothing else.
Scene bare(Shape shape) {
  Scene scene;
  scene.background.first = scene.background.second = kBlack;
  scene.object.shape = shape;
  scene.object.fill = kWhite;
  return scene;
}

double mean_of(const std::vector<uint8_t>& pixels) {
  double sum = 0;
  for (const uint8_t value : pixels) sum += value;
  return sum / double(pixels.size());
}

TEST(Paint, CircleCoversItsArea) {
  Scene scene = bare(Shape::kCircle);
  scene.object.radius = 0.6f;
  scene.object.centre = {0.1f, -0.05f};
  const double radius = 0.6 * 0.82;
  const double share = 3.14159265 * radius * radius / 4;
  EXPECT_NEAR(mean_of(painted(scene, 32, 32)) / 255, share, 0.005 * share);
}

TEST(Paint, TwiceTheSizeIsTheSamePicture) {
  for (uint64_t index = 0; index < 24; ++index) {
    Scene scene = drawn(Shape(index % kShapeCount), index);
    scene.noise = 0;
    const std::vector<uint8_t> small = painted(scene, 32, 32);
    const std::vector<uint8_t> large = painted(scene, 64, 64);
    double gap = 0;
    for (size_t y = 0; y < 32; ++y) {
      for (size_t x = 0; x < 32 * 3; ++x) {
        const size_t at = (2 * y * 64 + 2 * (x / 3)) * 3 + x % 3;
        gap += std::abs(small[y * 96 + x] - (large[at] + large[at + 3] + large[at + 192] + large[at + 195]) / 4.0);
      }
    }
    EXPECT_LT(gap / (32 * 32 * 3), 2.5) << "picture " << index;  // edges only
  }
}

TEST(Paint, WidePictureShowsTheSquareOneInItsMiddle) {
  Scene scene = drawn(Shape::kStar, 5);
  scene.noise = 0;
  const std::vector<uint8_t> square = painted(scene, 32, 32);
  const std::vector<uint8_t> wide = painted(scene, 48, 32);
  for (size_t y = 0; y < 32; ++y) {
    const auto row = wide.begin() + std::ptrdiff_t((y * 48 + 8) * 3);
    ASSERT_TRUE(std::equal(row, row + 96, square.begin() + std::ptrdiff_t(y * 96))) << "row " << y;
  }
}

TEST(Paint, DownTurnsTheObject) {
  Scene scene = bare(Shape::kArrow);
  const std::vector<uint8_t> upright = painted(scene, 32, 32);
  scene.object.down = {-1, 0};  // so the tip, at its upper end, points to the right
  const std::vector<uint8_t> turned = painted(scene, 32, 32);
  for (size_t y = 0; y < 32; ++y) {
    for (size_t x = 0; x < 32; ++x)
      ASSERT_EQ(turned[(x * 32 + 31 - y) * 3], upright[(y * 32 + x) * 3]) << x << ", " << y;
  }
}

TEST(Paint, StylesShowFillBorderAndHole) {
  Scene scene = bare(Shape::kCircle);
  scene.object.border = {1, 0, 0};
  const auto colours = [&](Object::Style style) {
    scene.object.style = style;
    const std::vector<uint8_t> pixels = painted(scene, 64, 64);
    const size_t middle = (32 * 64 + 32) * 3;
    const size_t rim = (32 * 64 + 32 + 17) * 3;  // 0.547 from the centre: the line goes from 0.504 to 0.574
    return std::vector<int>{pixels[middle], pixels[middle + 1], pixels[rim], pixels[rim + 1]};
  };
  EXPECT_EQ(colours(Object::Style::kFilled), (std::vector<int>{255, 255, 255, 255}));
  EXPECT_EQ(colours(Object::Style::kBordered), (std::vector<int>{255, 255, 255, 0}));
  EXPECT_EQ(colours(Object::Style::kHollow), (std::vector<int>{0, 0, 255, 255}));
}

TEST(Paint, NoiseHasTheDeviationAskedFor) {
  Scene scene = bare(Shape::kCircle);
  scene.background.first = scene.background.second = scene.object.fill = {0.5f, 0.5f, 0.5f};
  scene.noise = 0.05f;
  const std::vector<uint8_t> pixels = painted(scene, 128, 128);
  const double mean = mean_of(pixels);
  double squares = 0;
  for (const uint8_t value : pixels) squares += (value - mean) * (value - mean);
  EXPECT_NEAR(mean, 127.5, 0.3);
  EXPECT_NEAR(std::sqrt(squares / double(pixels.size())), 0.05 * 255, 0.2);
}

TEST(Paint, PatternsShareTheirColoursEvenly) {
  Scene scene;
  scene.background.first = kBlack;
  scene.background.second = kWhite;
  scene.background.period = 0.25f;
  scene.object.radius = 0.001f;  // out of sight
  for (const auto pattern :
       {Background::Pattern::kGradient, Background::Pattern::kStripes, Background::Pattern::kChecks}) {
    scene.background.pattern = pattern;
    EXPECT_NEAR(mean_of(painted(scene, 64, 64)), 127.5, 2) << "pattern " << int(pattern);
  }
}

TEST(DrawScene, ObjectStaysInsideTheLargestSquareAndStandsOut) {
  for (uint64_t index = 0; index < 2000; ++index) {
    const Scene scene = drawn(Shape(index % kShapeCount), index);
    const Object& object = scene.object;
    ASSERT_LE(std::abs(object.centre.x) + object.radius, 1.0001f);
    ASSERT_LE(std::abs(object.centre.y) + object.radius, 1.0001f);
    ASSERT_NEAR(length(object.down), 1, 1e-5f);
    ASSERT_GE(contrast(object.fill, scene.background.first), 0.3f) << "picture " << index;
    ASSERT_LE(scene.mark_count, Scene::kMaxMarks);
  }
}

TEST(DrawScene, EverythingVaries) {
  std::vector<int> patterns(4), styles(3), marks(Scene::kMaxMarks + 1);
  float smallest = 2, largest = 0, leftmost = 2, rightmost = -2;
  int shadows = 0;
  for (uint64_t index = 0; index < 1000; ++index) {
    const Scene scene = drawn(Shape::kStar, index);
    ++patterns[size_t(scene.background.pattern)];
    ++styles[size_t(scene.object.style)];
    ++marks[size_t(scene.mark_count)];
    smallest = std::min(smallest, scene.object.radius);
    largest = std::max(largest, scene.object.radius);
    leftmost = std::min(leftmost, scene.object.down.x);
    rightmost = std::max(rightmost, scene.object.down.x);
    shadows += scene.object.shadow > 0 ? 1 : 0;
  }
  for (const int count : patterns) EXPECT_GT(count, 150);
  for (const int count : styles) EXPECT_GT(count, 100);
  for (const int count : marks) EXPECT_GT(count, 80);
  EXPECT_GT(largest - smallest, 0.3f);
  EXPECT_LT(leftmost, -0.99f);
  EXPECT_GT(rightmost, 0.99f);
  EXPECT_GT(shadows, 300);
  EXPECT_LT(shadows, 700);
}

}  // namespace
}  // namespace moefb::trainer
