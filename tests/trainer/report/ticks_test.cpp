#include "trainer/report/svg/ticks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace moefb::report {
namespace {

using Ticks = std::vector<double>;

TEST(NiceTicks, AreMultiplesOfOneTwoOrFive) {
  EXPECT_EQ(nice_ticks(0, 10, 6), (Ticks{0, 2, 4, 6, 8, 10}));
  EXPECT_EQ(nice_ticks(3, 97, 6), (Ticks{20, 40, 60, 80}));
  EXPECT_EQ(nice_ticks(-0.5, 0.5, 3), (Ticks{-0.5, 0, 0.5}));
}

TEST(NiceTicks, OfAnyRangeAreFewInsideAndEvenlySpaced) {
  for (const double lo : {-7e5, -0.013, 0.0, 0.3, 12.0}) {
    for (const double width : {1e-6, 0.037, 1.0, 8.1, 99.0, 4e7}) {
      const Ticks ticks = nice_ticks(lo, lo + width, 6);
      ASSERT_GE(ticks.size(), 2u) << lo << " + " << width;
      ASSERT_LE(ticks.size(), 6u) << lo << " + " << width;
      const double step = ticks[1] - ticks[0];
      EXPECT_GE(ticks.front(), lo - 1e-6 * step);
      EXPECT_LE(ticks.back(), lo + width + 1e-6 * step);
      const double mantissa = step / std::pow(10.0, std::floor(std::log10(step) + 1e-6));
      EXPECT_TRUE(std::fabs(mantissa - 1) < 1e-3 || std::fabs(mantissa - 2) < 1e-3 || std::fabs(mantissa - 5) < 1e-3)
          << step;
    }
  }
}

TEST(NiceTicks, NeverShowAMinusZero) {
  for (const double tick : nice_ticks(-1, 1, 5)) EXPECT_FALSE(tick == 0 && std::signbit(tick));
}

TEST(NiceTicks, OfOneValueIsThatValue) {
  EXPECT_EQ(nice_ticks(3, 3, 6), Ticks{3});
}

TEST(LogTicks, TakeOneTwoFiveWhereTheyFit) {
  EXPECT_EQ(log_ticks(1, 100, 8), (Ticks{1, 2, 5, 10, 20, 50, 100}));
}

TEST(LogTicks, TakeOneAndThreeWhereFewerFit) {
  EXPECT_EQ(log_ticks(1, 100, 6), (Ticks{1, 3, 10, 30, 100}));
}

TEST(LogTicks, ThinOutPowersOverManyDecades) {
  const Ticks ticks = log_ticks(1e-9, 1e9, 6);
  ASSERT_GE(ticks.size(), 3u);
  EXPECT_LE(ticks.size(), 6u);
  for (size_t i = 2; i < ticks.size(); ++i)
    EXPECT_NEAR(ticks[i] / ticks[i - 1], ticks[1] / ticks[0], 1e-6 * ticks[1] / ticks[0]);
}

TEST(LogTicks, OfANarrowRangeAreLinear) {
  const Ticks ticks = log_ticks(3.1, 4.2, 6);
  EXPECT_GE(ticks.size(), 2u);
  EXPECT_GE(ticks.front(), 3.1);
  EXPECT_LE(ticks.back(), 4.2);
}

TEST(TickTexts, OfALinearAxisHaveTheSameDecimals) {
  EXPECT_EQ(tick_texts({0, 0.5, 1}, false), (std::vector<std::string>{"0.0", "0.5", "1.0"}));
  EXPECT_EQ(tick_texts({0, 10, 20}, false), (std::vector<std::string>{"0", "10", "20"}));
}

TEST(TickTexts, OfALogarithmicAxisAreAsShortAsTheyCanBe) {
  EXPECT_EQ(tick_texts({0.01, 1, 100}, true), (std::vector<std::string>{"0.01", "1", "100"}));
}

}  // namespace
}  // namespace moefb::report
