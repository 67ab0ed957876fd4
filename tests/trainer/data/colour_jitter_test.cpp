#include "trainer/data/colour_jitter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <vector>

#include "trainer/data/adjust.h"

namespace moefb::trainer {
namespace {

constexpr int kDraws = 24'000;

DrawnJitter draw(const ColourJitter& jitter, int i) {
  Random random(3, Stream::kColourJitter, 0, uint64_t(i));
  return draw_jitter(jitter, random);
}

TEST(ColourJitter, AmountsAreUniformInTheirRanges) {
  const ColourJitter jitter{0.4, 0.2, 1.5, 0.1};
  const double low[] = {0.6, 0.8, 0, -0.1};
  const double high[] = {1.4, 1.2, 2.5, 0.1};
  for (size_t k = 0; k < 4; ++k) {
    double sum = 0, least = 10, most = -10;
    for (int i = 0; i < kDraws; ++i) {
      const double amount = draw(jitter, i).amounts[k];
      sum += amount;
      least = std::min(least, amount);
      most = std::max(most, amount);
    }
    const double width = high[k] - low[k];
    EXPECT_GE(least, low[k]);
    EXPECT_LE(most, high[k]);
    EXPECT_LT(least, low[k] + 0.01 * width) << "the whole range is used";
    EXPECT_GT(most, high[k] - 0.01 * width);
    // The mean of n draws has deviation width / sqrt(12 n) = 0.0019 width.
    EXPECT_NEAR(sum / kDraws, (low[k] + high[k]) / 2, 0.01 * width);
  }
}

TEST(ColourJitter, AllOrdersHaveEqualChance) {
  std::map<std::array<Adjustment, 4>, int> counts;
  for (int i = 0; i < kDraws; ++i) ++counts[draw({}, i).order];
  ASSERT_EQ(counts.size(), 24u);
  for (const auto& [order, count] : counts) EXPECT_NEAR(count, kDraws / 24, 160);  // 5 deviations of 31
}

TEST(ColourJitter, NoStrengthChangesNothing) {
  std::vector<uint8_t> pixels{1, 2, 3, 200, 100, 50};
  const std::vector<uint8_t> before = pixels;
  for (int i = 0; i < 50; ++i) {
    apply_jitter(draw({}, i), pixels);
    EXPECT_EQ(pixels, before);
  }
}

TEST(ColourJitter, AppliesInTheOrderDrawn) {
  using enum Adjustment;
  const std::vector<uint8_t> pixels{250, 100, 20, 30, 60, 90};
  DrawnJitter drawn{{kBrightness, kContrast, kSaturation, kHue}, {1.7, 0.5, 1.8, 0.1}};
  std::vector<uint8_t> expected = pixels, found = pixels;
  adjust_brightness(expected, 1.7);
  adjust_contrast(expected, 0.5);
  adjust_saturation(expected, 1.8);
  adjust_hue(expected, 0.1);
  apply_jitter(drawn, found);
  EXPECT_EQ(found, expected);
  std::ranges::reverse(drawn.order);
  found = pixels;
  apply_jitter(drawn, found);
  EXPECT_NE(found, expected) << "clipping makes the order matter";
}

}  // namespace
}  // namespace moefb::trainer
