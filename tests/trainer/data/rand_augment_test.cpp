#include "trainer/data/rand_augment.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "trainer/data/adjust.h"
#include "trainer/data/tone.h"
#include "trainer/data/warp.h"

namespace moefb::trainer {
namespace {

using enum Operation;
using Pixels = std::vector<uint8_t>;
constexpr int kWidth = 40;
constexpr int kHeight = 30;

Pixels noise() {
  Random random(1, Stream::kNoise, 0);
  Pixels out(size_t(kWidth) * kHeight * 3);
  for (uint8_t& byte : out) byte = uint8_t(random.below(200));
  return out;
}

Pixels applied(Operation operation, double amount) {
  Pixels pixels = noise();
  apply_operation({operation, amount}, kWidth, kHeight, pixels);
  return pixels;
}

template <typename Change>
Pixels changed(Change change) {
  Pixels pixels = noise();
  change(pixels);
  return pixels;
}

TEST(RandAugment, MagnitudesMeanWhatTorchvisionsDo) {
  const auto amount = [](Operation operation, int magnitude) { return amount_of(operation, magnitude, 224, 128); };
  EXPECT_DOUBLE_EQ(amount(kShearX, 9), 0.09);
  EXPECT_DOUBLE_EQ(amount(kShearY, 30), 0.3);
  EXPECT_EQ(amount(kTranslateX, 9), 30);   // 150 / 331 * 224 * 0.3 = 30.45
  EXPECT_EQ(amount(kTranslateY, 30), 58);  // 150 / 331 * 128 = 58.006
  EXPECT_DOUBLE_EQ(amount(kRotate, 9), 9);
  for (const Operation factor : {kBrightness, kColour, kContrast, kSharpness}) {
    EXPECT_DOUBLE_EQ(amount(factor, 9), 0.27);
    EXPECT_DOUBLE_EQ(amount(factor, 30), 0.9);
  }
  EXPECT_EQ(amount(kPosterize, 0), 8);
  EXPECT_EQ(amount(kPosterize, 9), 7);  // 8 - round(1.2)
  EXPECT_EQ(amount(kPosterize, 30), 4);
  EXPECT_EQ(amount(kSolarize, 0), 255);
  EXPECT_DOUBLE_EQ(amount(kSolarize, 9), 178.5);
  EXPECT_EQ(amount(kSolarize, 30), 0);
  for (const Operation plain : {kIdentity, kAutoContrast, kEqualize}) EXPECT_EQ(amount(plain, 9), 0);
}

TEST(RandAugment, OperationsAndSignsHaveEqualChance) {
  constexpr int kDraws = 28'000;
  std::array<int, kOperations> counts{}, negative{};
  for (int i = 0; i < kDraws; ++i) {
    Random random(5, Stream::kRandAugment, 0, uint64_t(i));
    const DrawnOperation drawn = draw_operation(9, kWidth, kHeight, random);
    ++counts[size_t(drawn.operation)];
    negative[size_t(drawn.operation)] += drawn.amount < 0;
    EXPECT_EQ(std::abs(drawn.amount), amount_of(drawn.operation, 9, kWidth, kHeight));
  }
  for (size_t i = 0; i < kOperations; ++i) {
    EXPECT_NEAR(counts[i], 2000, 215) << i;  // 5 deviations of 43
    const bool two_ways = i >= size_t(kShearX) && i <= size_t(kSharpness);
    EXPECT_NEAR(negative[i], two_ways ? counts[i] / 2 : 0, two_ways ? 112 : 0) << i;  // 5 deviations of 22
  }
}

TEST(RandAugment, EachOperationIsItsDefinition) {
  const auto warped = [](const Affine& source) { return warp(noise(), kWidth, kHeight, source); };
  EXPECT_EQ(applied(kIdentity, 0), noise());
  EXPECT_EQ(applied(kShearX, -0.2), warped(shear_x(-0.2)));
  EXPECT_EQ(applied(kShearY, 0.2), warped(shear_y(0.2)));
  EXPECT_EQ(applied(kTranslateX, 5), warped(translate(5, 0)));
  EXPECT_EQ(applied(kTranslateY, -5), warped(translate(0, -5)));
  EXPECT_EQ(applied(kRotate, 12), warped(rotate(12, kWidth, kHeight)));
  EXPECT_EQ(applied(kBrightness, 0.27), changed([](auto& p) { adjust_brightness(p, 1.27); }));
  EXPECT_EQ(applied(kColour, -0.27), changed([](auto& p) { adjust_saturation(p, 0.73); }));
  EXPECT_EQ(applied(kContrast, 0.27), changed([](auto& p) { adjust_contrast(p, 1.27); }));
  EXPECT_EQ(applied(kSharpness, 0.27), changed([](auto& p) { adjust_sharpness(p, kWidth, kHeight, 1.27); }));
  EXPECT_EQ(applied(kPosterize, 5), changed([](auto& p) { posterize(p, 5); }));
  EXPECT_EQ(applied(kSolarize, 100), changed([](auto& p) { solarize(p, 100); }));
  EXPECT_EQ(applied(kAutoContrast, 0), changed([](auto& p) { autocontrast(p); }));
  EXPECT_EQ(applied(kEqualize, 0), changed([](auto& p) { equalize(p); }));
}

TEST(RandAugment, AllButIdentityChangeAPicture) {
  for (int i = 1; i < kOperations; ++i) {
    const auto operation = Operation(i);
    EXPECT_NE(applied(operation, amount_of(operation, 20, kWidth, kHeight)), noise()) << i;
  }
}

TEST(RandAugment, NoMagnitudeChangesNothingButTheThreeWithoutOne) {
  for (int i = 0; i < int(kAutoContrast); ++i) {
    const auto operation = Operation(i);
    EXPECT_EQ(applied(operation, amount_of(operation, 0, kWidth, kHeight)), noise()) << i;
  }
}

}  // namespace
}  // namespace moefb::trainer
