#include "trainer/data/random_erasing.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace moefb::trainer {
namespace {

constexpr int kHeight = 300;
constexpr int kWidth = 300;

AugmentConfig with_probability(double erasing) {
  AugmentConfig augment;
  augment.erasing = erasing;
  return augment;
}

std::optional<Box> draw(const AugmentConfig& augment, int i, int height = kHeight, int width = kWidth) {
  Random random(9, Stream::kErasing, 0, uint64_t(i));
  return draw_erasing(height, width, augment, random);
}

TEST(RandomErasing, HappensAsOftenAsAsked) {
  int quarter = 0;
  for (int i = 0; i < 10'000; ++i) {
    EXPECT_FALSE(draw(with_probability(0), i));
    EXPECT_TRUE(draw(with_probability(1), i));
    quarter += draw(with_probability(0.25), i).has_value();
  }
  EXPECT_NEAR(quarter, 2500, 217);  // 5 deviations of 43
}

TEST(RandomErasing, AreaAndAspectAreDrawnAsPublished) {
  AugmentConfig augment = with_probability(1);
  augment.erase_area_max = 0.28;  // with 3.3 a larger one might not fit, and is drawn again
  constexpr int kDraws = 20'000;
  double area = 0, aspect = 0;
  for (int i = 0; i < kDraws; ++i) {
    const auto box = draw(augment, i);
    ASSERT_TRUE(box);
    ASSERT_TRUE(box->top >= 0 && box->left >= 0 && box->top + box->height <= kHeight &&
                box->left + box->width <= kWidth);
    const double share = double(box->height) * box->width / (kHeight * kWidth);
    const double ratio = double(box->height) / box->width;
    ASSERT_TRUE(share > 0.018 && share < 0.29) << share;  // rounding of the sides
    ASSERT_TRUE(ratio > 0.29 && ratio < 3.45) << ratio;
    area += share / kDraws;
    aspect += std::log(ratio) / kDraws;
  }
  EXPECT_NEAR(area, 0.15, 0.003);                                   // 5 deviations are 0.0027
  EXPECT_NEAR(aspect, (std::log(0.3) + std::log(3.3)) / 2, 0.025);  // 5 deviations are 0.0245
}

TEST(RandomErasing, APictureThatNothingFitsStays) {
  AugmentConfig augment = with_probability(1);
  augment.erase_area_min = augment.erase_area_max = 1;
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(draw(augment, i));
}

TEST(RandomErasing, WritesNormalNoiseInsideTheBoxAlone) {
  const Box box{20, 50, 200, 100};
  std::vector<float> planes(size_t(3) * kHeight * kWidth, 100);
  Random random(2, Stream::kErasing, 0);
  erase(box, kHeight, kWidth, random, planes);
  double sum = 0, squares = 0, fourth = 0, beside = 0;
  int count = 0;
  float before = 0;
  for (size_t i = 0; i < planes.size(); ++i) {
    const int y = int(i) / kWidth % kHeight, x = int(i) % kWidth;
    const bool inside = y >= box.top && y < box.top + box.height && x >= box.left && x < box.left + box.width;
    if (!inside) {
      ASSERT_EQ(planes[i], 100);
      continue;
    }
    const double v = planes[i];
    ++count;
    sum += v;
    squares += v * v;
    fourth += v * v * v * v;
    beside += v * double(before);
    before = planes[i];
  }
  ASSERT_EQ(count, 3 * 200 * 100);  // of N(0, 1): 5 deviations of each mean
  EXPECT_NEAR(sum / count, 0, 5 / std::sqrt(count));
  EXPECT_NEAR(squares / count, 1, 5 * std::sqrt(2.0 / count));
  EXPECT_NEAR(fourth / count, 3, 5 * std::sqrt(96.0 / count));
  EXPECT_NEAR(beside / count, 0, 5 / std::sqrt(count));
}

}  // namespace
}  // namespace moefb::trainer
