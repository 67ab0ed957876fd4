#include "apps/moe-infer/drawing/token_chart.h"

#include <gtest/gtest.h>

#include "apps/moe-infer/drawing/palette.h"

namespace moefb::drawing {
namespace {

constexpr Colour kWhite{255, 255, 255};

int pixels_of(const Canvas& canvas, Colour colour) {
  int count = 0;
  for (int y = 0; y < canvas.height(); ++y) {
    for (int x = 0; x < canvas.width(); ++x) count += canvas.at(x, y) == colour;
  }
  return count;
}

Canvas chart(const TokenCounts& counts, int width = 360) {
  Canvas canvas(width, 100, kWhite);
  draw_token_chart(canvas, {0, 0, float(width), 100}, counts, 1);
  return canvas;
}

TEST(TokenChart, BarsAreInProportionToTheTokens) {
  const Canvas canvas = chart({{40, 20, 10, 0}, 0, 0});
  const double full = pixels_of(canvas, expert_colour(0));
  ASSERT_GT(full, 1000);
  EXPECT_NEAR(pixels_of(canvas, expert_colour(1)) / full, 0.5, 0.02);
  EXPECT_NEAR(pixels_of(canvas, expert_colour(2)) / full, 0.25, 0.02);
  EXPECT_EQ(pixels_of(canvas, expert_colour(3)), 0);
}

TEST(TokenChart, CapacitySetsTheScaleWhereNoExpertReachesIt) {
  const double without = pixels_of(chart({{10, 5}, 0, 0}), expert_colour(0));
  const double with = pixels_of(chart({{10, 5}, 0, 20}), expert_colour(0));
  EXPECT_NEAR(with / without, 0.5, 0.02);
}

TEST(TokenChart, HoldsManyExpertsAndNoneAtAll) {
  for (const int experts : {1, 16, 64, 500}) {
    const Canvas canvas = chart({std::vector<int64_t>(size_t(experts), 3), 7, 5});
    EXPECT_GT(pixels_of(canvas, expert_colour(0)), 0) << experts;
  }
  EXPECT_EQ(pixels_of(chart({{0, 0}, 0, 0}), expert_colour(0)), 0);
}

}  // namespace
}  // namespace moefb::drawing
