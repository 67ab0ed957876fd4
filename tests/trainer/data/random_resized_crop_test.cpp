#include "trainer/data/random_resized_crop.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace moefb::trainer {
namespace {

Box draw(int height, int width, const AugmentConfig& augment, int i) {
  Random random(9, Stream::kResizedCrop, 0, uint64_t(i));
  return draw_crop(height, width, augment, random);
}

Image filled(int height, int width, uint8_t value) {
  Image image;
  image.width = width;
  image.height = height;
  image.pixels = std::make_unique<uint8_t[]>(image.bytes().size());
  std::fill_n(image.pixels.get(), image.bytes().size(), value);
  return image;
}

TEST(RandomResizedCrop, AreaAndAspectAreDrawnAsPublished) {
  constexpr int kDraws = 20'000;
  AugmentConfig
      augment;  // on a square a try fits unless it is nearly the whole picture: the upper half is left out here
  augment.area_max = 0.5;
  double area = 0, aspect = 0, least = 1, most = 0, narrowest = 2, widest = 0;
  for (int i = 0; i < kDraws; ++i) {
    const Box box = draw(1000, 1000, augment, i);
    ASSERT_TRUE(box.top >= 0 && box.left >= 0 && box.top + box.height <= 1000 && box.left + box.width <= 1000);
    const double share = double(box.height) * box.width / 1e6;
    const double ratio = double(box.width) / box.height;
    area += share / kDraws;
    aspect += std::log(ratio) / kDraws;
    least = std::min(least, share);
    most = std::max(most, share);
    narrowest = std::min(narrowest, ratio);
    widest = std::max(widest, ratio);
  }
  EXPECT_NEAR(area, 0.29, 0.005);  // uniform in 0.08..0.5; 5 deviations are 0.0043
  EXPECT_NEAR(aspect, 0, 0.006);   // its logarithm uniform in +-0.2877; 5 deviations are 0.0059
  EXPECT_NEAR(least, 0.08, 0.002);
  EXPECT_NEAR(most, 0.5, 0.002);
  EXPECT_NEAR(narrowest, 0.75, 0.005);
  EXPECT_NEAR(widest, 4.0 / 3, 0.005);
}

TEST(RandomResizedCrop, EveryPlaceHasEqualChance) {
  AugmentConfig augment;
  augment.area_min = augment.area_max = 0.25;
  augment.aspect_min = augment.aspect_max = 1;  // 5 x 5 of 10 x 10: six places each way
  int rows[6] = {}, columns[6] = {};
  for (int i = 0; i < 6000; ++i) {
    const Box box = draw(10, 10, augment, i);
    ASSERT_EQ(box.height, 5);
    ASSERT_EQ(box.width, 5);
    ++rows[box.top];
    ++columns[box.left];
  }
  for (int i = 0; i < 6; ++i) {
    EXPECT_NEAR(rows[i], 1000, 145);  // 5 deviations of 29
    EXPECT_NEAR(columns[i], 1000, 145);
  }
}

TEST(RandomResizedCrop, WhatNeverFitsIsTheAllowedCentre) {
  AugmentConfig augment;
  augment.area_min = augment.area_max = 1;
  const auto expect = [&](int height, int width, const Box& expected) {
    const Box box = draw(height, width, augment, 0);
    EXPECT_EQ(box.top, expected.top);
    EXPECT_EQ(box.left, expected.left);
    EXPECT_EQ(box.height, expected.height);
    EXPECT_EQ(box.width, expected.width);
  };
  expect(100, 1000, {0, 433, 100, 133});  // too wide: 100 * 4/3
  expect(1000, 100, {433, 0, 133, 100});  // too high: 100 / (3/4)
  augment.aspect_min = 1;
  augment.aspect_max = 2;
  expect(6000, 7500, {0, 0, 6000, 7500});  // its own aspect is allowed, but was not drawn
  augment.aspect_min = augment.aspect_max = 100;
  expect(1, 3, {0, 0, 1, 3});
}

TEST(RandomResizedCrop, TheWholePictureAtItsSizeIsThePicture) {
  Image image = filled(5, 4, 0);
  for (size_t i = 0; i < image.bytes().size(); ++i) image.pixels[i] = uint8_t(i * 4);
  const std::vector<uint8_t> pixels = resized_crop(image, {0, 0, 5, 4}, 5, 4);
  EXPECT_TRUE(std::ranges::equal(pixels, image.bytes()));
}

TEST(RandomResizedCrop, WhatLiesOutsideHasNoInfluence) {
  Image image = filled(9, 9, 200);
  for (int y = 2; y < 6; ++y) std::fill_n(image.pixels.get() + (y * 9 + 3) * 3, 5 * 3, uint8_t{50});
  for (const int side : {2, 5, 16}) {
    const std::vector<uint8_t> pixels = resized_crop(image, {2, 3, 4, 5}, side, side);
    EXPECT_EQ(pixels, std::vector<uint8_t>(size_t(side) * size_t(side) * 3, 50)) << side;
  }
}

}  // namespace
}  // namespace moefb::trainer
