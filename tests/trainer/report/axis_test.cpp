#include "trainer/report/svg/axis.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace moefb::report {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

Range range_of(std::initializer_list<double> values, bool log = false) {
  Range range(log);
  for (const double value : values) range.add(value);
  return range;
}

TEST(Axis, PlacesValuesInProportion) {
  const Axis axis = tight_axis("", range_of({2, 6}), false);
  EXPECT_DOUBLE_EQ(axis.place(2, 100, 300), 100);
  EXPECT_DOUBLE_EQ(axis.place(3, 100, 300), 150);
  EXPECT_DOUBLE_EQ(axis.place(6, 300, 100), 100);  // upside down, as pictures are
}

TEST(Axis, PlacesByTheLogarithmWhereAsked) {
  const Axis axis = tight_axis("", range_of({1, 100}, true), true);
  EXPECT_NEAR(axis.place(10, 0, 200), 100, 1e-9);
}

TEST(Axis, MovesValuesBeyondItsEndsToThem) {
  const Axis linear = tight_axis("", range_of({0, 1}), false);
  EXPECT_EQ(linear.place(7, 0, 50), 50);
  const Axis log = tight_axis("", range_of({1, 100}, true), true);
  EXPECT_EQ(log.place(-3, 0, 50), 0);
}

TEST(Axis, RoundEndsEncloseTheRangeAndAreTicks) {
  const Axis axis = round_axis("", range_of({62.3, 87.9}), false);
  EXPECT_LE(axis.lo, 62.3);
  EXPECT_GE(axis.hi, 87.9);
  EXPECT_DOUBLE_EQ(axis.ticks.front(), axis.lo);
  EXPECT_DOUBLE_EQ(axis.ticks.back(), axis.hi);
}

TEST(Axis, HasRoomForASingleValueOrNone) {
  for (const bool log : {false, true}) {
    for (const Range& range : {range_of({5, 5}, log), Range(log)}) {
      const Axis axis = round_axis("", range, log);
      EXPECT_LT(axis.lo, axis.hi);
      EXPECT_TRUE(std::isfinite(axis.place(5, 0, 1)));
    }
  }
}

TEST(Axis, KeepsWholeTicksAlone) {
  Axis axis = tight_axis("epoch", range_of({1, 3}), false);
  keep_whole_ticks(axis);
  EXPECT_EQ(axis.ticks, (std::vector<double>{1, 2, 3}));
  EXPECT_EQ(axis.texts.size(), 3u);
}

TEST(Range, PassesOverWhatCannotBeDrawn) {
  const Range linear = range_of({kNaN, 1, std::numeric_limits<double>::infinity(), -2});
  EXPECT_EQ(linear.lo(), -2);
  EXPECT_EQ(linear.hi(), 1);
  const Range log = range_of({0, -4, 3, kNaN}, true);
  EXPECT_EQ(log.lo(), 3);
  EXPECT_TRUE(range_of({kNaN}).empty());
}

}  // namespace
}  // namespace moefb::report
