#include "trainer/analysis/time_summary.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace moefb::trainer {
namespace {

TEST(TimeSummary, OfAnEvenNumberTakesTheMiddleTwo) {
  const TimeSummary summary = summarise(std::vector<double>{4, 1, 3, 2});
  EXPECT_DOUBLE_EQ(summary.mean, 2.5);
  EXPECT_DOUBLE_EQ(summary.deviation, std::sqrt(1.25));
  EXPECT_DOUBLE_EQ(summary.median, 2.5);
}

TEST(TimeSummary, OfAnOddNumberTakesTheMiddleOne) {
  EXPECT_DOUBLE_EQ(summarise(std::vector<double>{9, 1, 2}).median, 2);
}

TEST(TimeSummary, OfOneTimeHasNoDeviation) {
  EXPECT_EQ(summarise(std::vector<double>{7}).deviation, 0);
  EXPECT_EQ(summarise(std::vector<double>{7}).median, 7);
}

}  // namespace
}  // namespace moefb::trainer
