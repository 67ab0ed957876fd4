#include "trainer/report/statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace moefb::report {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

TEST(Spread, IsMeanAndStandardDeviationOfTheSample) {
  const std::vector<double> values = {2, 4, 9};
  const Spread all = spread(values);
  EXPECT_EQ(all.count, 3u);
  EXPECT_DOUBLE_EQ(all.mean, 5);
  EXPECT_DOUBLE_EQ(all.stddev, std::sqrt(13.0));  // (9 + 1 + 16) / 2
  EXPECT_EQ(all.min, 2);
  EXPECT_EQ(all.max, 9);
}

TEST(Spread, OfEqualValuesIsExactlyZero) {
  const std::vector<double> values(7, 0.1);
  EXPECT_EQ(spread(values).stddev, 0);
  EXPECT_EQ(spread(values).mean, 0.1);
}

TEST(Spread, LeavesOutWhatIsNoNumber) {
  const std::vector<double> values = {kNaN, 3, std::numeric_limits<double>::infinity()};
  const Spread all = spread(values);
  EXPECT_EQ(all.count, 1u);
  EXPECT_EQ(all.mean, 3);
  EXPECT_EQ(all.stddev, 0);
}

TEST(Spread, OfNothingIsUnknown) {
  const Spread all = spread(std::vector<double>{kNaN});
  EXPECT_EQ(all.count, 0u);
  EXPECT_TRUE(std::isnan(all.mean));
  EXPECT_TRUE(std::isnan(all.max));
}

TEST(EpochOfMax, IsTheFirstThatReachesIt) {
  const std::vector<int64_t> epochs = {1, 2, 3, 4, 5};
  const std::vector<double> accuracies = {0.5, kNaN, 0.8, 0.7, 0.8};
  EXPECT_EQ(epoch_of_max(epochs, accuracies), 3);
  EXPECT_EQ(epoch_of_min(epochs, accuracies), 1);
}

TEST(EpochOfMax, CountsByTheEpochsGiven) {
  const std::vector<int64_t> epochs = {7, 8};
  EXPECT_EQ(epoch_of_max(epochs, std::vector<double>{0.1, 0.2}), 8);
}

TEST(EpochOfMax, IsZeroWhereNoValueIsANumber) {
  EXPECT_EQ(epoch_of_max(std::vector<int64_t>{1}, std::vector<double>{kNaN}), 0);
  EXPECT_EQ(epoch_of_max({}, {}), 0);
}

TEST(MutualInformation, IsAllOfItWhereTheRowDecides) {
  const std::vector<double> rows = {1, 0, 0, 1, 1, 0, 0, 1};
  EXPECT_DOUBLE_EQ(mutual_information_bits(rows, 2), 1);
}

TEST(MutualInformation, IsNothingWhereRowsAreAlike) {
  const std::vector<double> rows = {0.3, 0.7, 0.3, 0.7};
  EXPECT_NEAR(mutual_information_bits(rows, 2), 0, 1e-15);
}

TEST(MutualInformation, TakesRowsByTheirShares) {
  const std::vector<double> counts = {30, 0, 0, 2, 0, 0};  // the third row is empty
  EXPECT_DOUBLE_EQ(mutual_information_bits(counts, 2), 1);
}

}  // namespace
}  // namespace moefb::report
