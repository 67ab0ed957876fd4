#include "trainer/data/adjust.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <vector>

#include "trainer/data/random.h"

namespace moefb::trainer {
namespace {

using Pixels = std::vector<uint8_t>;

Pixels noise(size_t pixels) {
  Random random(1, Stream::kNoise, 0);
  Pixels out(pixels * 3);
  for (uint8_t& byte : out) byte = uint8_t(random.below(256));
  return out;
}

template <typename Adjust>
Pixels after(Pixels pixels, Adjust adjust, double amount) {
  adjust(pixels, amount);
  return pixels;
}

TEST(Adjust, LuminanceOfPrimariesAndGrey) {
  const auto of = [](uint8_t r, uint8_t g, uint8_t b) { return int(luminance(Pixels{r, g, b}.data())); };
  EXPECT_EQ(of(255, 0, 0), 76);
  EXPECT_EQ(of(0, 255, 0), 150);
  EXPECT_EQ(of(0, 0, 255), 29);
  for (int value = 0; value < 256; ++value) EXPECT_EQ(of(uint8_t(value), uint8_t(value), uint8_t(value)), value);
}

TEST(Adjust, GrayscaleMakesThreeEqualChannels) {
  Pixels pixels{255, 0, 0, 10, 20, 30};
  to_grayscale(pixels);
  EXPECT_EQ(pixels, (Pixels{76, 76, 76, 18, 18, 18}));
}

TEST(Adjust, OneChangesNothing) {
  const Pixels pixels = noise(500);
  EXPECT_EQ(after(pixels, adjust_brightness, 1), pixels);
  EXPECT_EQ(after(pixels, adjust_contrast, 1), pixels);
  EXPECT_EQ(after(pixels, adjust_saturation, 1), pixels);
}

TEST(Adjust, BrightnessScalesTruncatesAndClips) {
  EXPECT_EQ(after({10, 101, 200}, adjust_brightness, 0.5), (Pixels{5, 50, 100}));
  EXPECT_EQ(after({10, 101, 200}, adjust_brightness, 1.5), (Pixels{15, 151, 255}));
  EXPECT_EQ(after({10, 101, 200}, adjust_brightness, 0), (Pixels{0, 0, 0}));
}

TEST(Adjust, ContrastPullsToTheMeanLuminance) {
  // Luminances 100 and 201: their mean 150.5 is rounded up.
  const Pixels pixels{100, 100, 100, 201, 201, 201};
  EXPECT_EQ(after(pixels, adjust_contrast, 0), Pixels(6, 151));
  EXPECT_EQ(after(pixels, adjust_contrast, 0.5), (Pixels{125, 125, 125, 176, 176, 176}));
  EXPECT_EQ(after(pixels, adjust_contrast, 2), (Pixels{49, 49, 49, 251, 251, 251}));
}

TEST(Adjust, SaturationPullsToTheGreyPicture) {
  const Pixels red{255, 0, 0};
  EXPECT_EQ(after(red, adjust_saturation, 0), (Pixels{76, 76, 76}));
  EXPECT_EQ(after(red, adjust_saturation, 0.5), (Pixels{165, 38, 38}));
  EXPECT_EQ(after({50, 50, 50}, adjust_saturation, 3), (Pixels{50, 50, 50}));
}

TEST(Adjust, HueTurnsThePrimariesIntoEachOther) {
  const Pixels red{255, 0, 0};
  EXPECT_EQ(after(red, adjust_hue, 1.0 / 3), (Pixels{0, 255, 0}));
  EXPECT_EQ(after(red, adjust_hue, -1.0 / 3), (Pixels{0, 0, 255}));
  EXPECT_EQ(after(red, adjust_hue, 0.5), (Pixels{0, 255, 255}));
  EXPECT_EQ(after({200, 100, 100}, adjust_hue, 1.0 / 6), (Pixels{200, 200, 100}));
}

TEST(Adjust, HueOfGreyAndATurnOfNothingChangeNothing) {
  EXPECT_EQ(after({77, 77, 77, 0, 0, 0}, adjust_hue, 0.3), (Pixels{77, 77, 77, 0, 0, 0}));
  const Pixels pixels = noise(20'000);
  EXPECT_EQ(after(pixels, adjust_hue, 0), pixels);
}

TEST(Adjust, HueComesBackButForRounding) {
  const Pixels pixels = noise(20'000);
  for (const double turn : {0.05, -0.1, 0.37, 0.5}) {
    const Pixels back = after(after(pixels, adjust_hue, turn), adjust_hue, -turn);
    int worst = 0;
    for (size_t i = 0; i < pixels.size(); ++i) worst = std::max(worst, std::abs(int(back[i]) - int(pixels[i])));
    EXPECT_LE(worst, 1) << turn;  // largest and smallest channel are kept, the third is rounded twice by half a step
  }
}

}  // namespace
}  // namespace moefb::trainer
