#include "trainer/data/tone.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace moefb::trainer {
namespace {

using Pixels = std::vector<uint8_t>;

/// Red takes the values, green is 7 everywhere, blue counts down from 255.
Pixels red(const Pixels& values) {
  Pixels pixels;
  for (size_t i = 0; i < values.size(); ++i) pixels.insert(pixels.end(), {values[i], 7, uint8_t(255 - i)});
  return pixels;
}

Pixels channel(const Pixels& pixels, size_t c) {
  Pixels values;
  for (size_t i = c; i < pixels.size(); i += 3) values.push_back(pixels[i]);
  return values;
}

TEST(Tone, PosterizeKeepsHighBits) {
  Pixels pixels{0b10110111, 255, 1};
  posterize(pixels, 8);
  EXPECT_EQ(pixels, (Pixels{0b10110111, 255, 1}));
  posterize(pixels, 4);
  EXPECT_EQ(pixels, (Pixels{0b10110000, 240, 0}));
  posterize(pixels, 0);
  EXPECT_EQ(pixels, (Pixels{0, 0, 0}));
}

TEST(Tone, SolarizeTurnsValuesFromTheThresholdOn) {
  Pixels pixels{99, 100, 255};
  solarize(pixels, 100);
  EXPECT_EQ(pixels, (Pixels{99, 155, 0}));
  pixels = {178, 179, 0};
  solarize(pixels, 178.5);
  EXPECT_EQ(pixels, (Pixels{178, 76, 0}));
}

TEST(Tone, AutocontrastStretchesEachChannelAlone) {
  Pixels pixels = red({50, 100, 150});
  autocontrast(pixels);
  EXPECT_EQ(channel(pixels, 0), (Pixels{0, 127, 255}));
  EXPECT_EQ(channel(pixels, 1), Pixels(3, 7)) << "one value alone stays";
  EXPECT_EQ(channel(pixels, 2), (Pixels{255, 127, 0}));
}

TEST(Tone, EqualizeSpreadsTheHistogram) {
  // 2550 pixels, a tenth of each value: step = 2295 / 255 = 9, and value k comes to (4 + 255 k) / 9.
  Pixels values;
  for (int i = 0; i < 2550; ++i) values.push_back(uint8_t(100 + i % 10));
  Pixels pixels = red(values);
  equalize(pixels);
  const Pixels out = channel(pixels, 0);
  const Pixels expected{0, 28, 57, 85, 113, 142, 170, 198, 227, 255};
  for (size_t i = 0; i < 20; ++i) EXPECT_EQ(out[i], expected[i % 10]) << i;
  EXPECT_EQ(channel(pixels, 1), Pixels(2550, 7)) << "one value alone stays";
}

TEST(Tone, EqualizeLeavesTooFewPixelsAlone) {
  Pixels pixels = red({1, 2, 3, 4});
  const Pixels before = pixels;
  equalize(pixels);
  EXPECT_EQ(pixels, before);
}

/// 4 x 3, black but for one pixel inside.
Pixels dot(uint8_t value) {
  Pixels pixels(4 * 3 * 3, 0);
  std::fill_n(&pixels[(4 + 1) * 3], 3, value);
  return pixels;
}

TEST(Tone, SharpnessZeroIsTheSmoothedPicture) {
  Pixels pixels = dot(130);
  adjust_sharpness(pixels, 4, 3, 0);
  EXPECT_EQ(channel(pixels, 0), (Pixels{0, 0, 0, 0, 0, 50, 10, 0, 0, 0, 0, 0}))
      << "5/13 here, 1/13 beside, border as it was";
}

TEST(Tone, SharpnessOneChangesNothingAndTwoGoesTheOtherWay) {
  Pixels pixels = dot(130);
  adjust_sharpness(pixels, 4, 3, 1);
  EXPECT_EQ(pixels, dot(130));
  adjust_sharpness(pixels, 4, 3, 2);
  EXPECT_EQ(channel(pixels, 1), (Pixels{0, 0, 0, 0, 0, 210, 0, 0, 0, 0, 0, 0}));
}

TEST(Tone, SharpnessOfATinyPictureIsThePicture) {
  Pixels pixels{1, 2, 3, 200, 100, 0};
  adjust_sharpness(pixels, 1, 2, 0);
  EXPECT_EQ(pixels, (Pixels{1, 2, 3, 200, 100, 0}));
}

}  // namespace
}  // namespace moefb::trainer
