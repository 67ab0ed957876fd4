#include "trainer/report/number_text.h"

#include <gtest/gtest.h>

#include <cmath>

namespace moefb::report {
namespace {

constexpr const char* kPlusMinus = "\u00a0±\u00a0";

TEST(NumberText, HasAMinusSignButNoMinusZero) {
  EXPECT_EQ(fixed(-1.25, 2), "\u22121.25");
  EXPECT_EQ(fixed(-0.001, 2), "0.00");
}

TEST(NumberText, ShowsADashForWhatIsNoNumber) {
  for (const double value : {std::nan(""), double(INFINITY)}) {
    EXPECT_EQ(fixed(value, 1), kDash);
    EXPECT_EQ(percent(value), kDash);
    EXPECT_EQ(significant(value), kDash);
    EXPECT_EQ(short_count(value), kDash);
  }
  EXPECT_EQ(with_spread(spread(std::vector<double>{}), 2), kDash);
}

TEST(NumberText, RoundsToSignificantDigits) {
  EXPECT_EQ(significant(0.0123456), "0.0123");
  EXPECT_EQ(significant(9.996), "10.0");
  EXPECT_EQ(significant(1234.5), "1234");
  EXPECT_EQ(significant(0), "0");
  EXPECT_EQ(significant(1.23e-7, 2), "1.2·10⁻⁷");
  EXPECT_EQ(significant(-4.5e12, 2), "\u22124.5·10¹²");
}

TEST(NumberText, ShowsASpreadOfSeveralValuesOnly) {
  EXPECT_EQ(with_spread(spread(std::vector<double>{91.8, 92.0}), 2), std::string("91.90") + kPlusMinus + "0.14");
  EXPECT_EQ(with_spread(spread(std::vector<double>{91.8}), 2), "91.80");
}

TEST(NumberText, ASmallSpreadOfALargeMeanDoesNotReadAsZero) {
  EXPECT_EQ(with_spread_significant(spread(std::vector<double>{808.0, 808.4})),
            std::string("808.2") + kPlusMinus + "0.3");
}

TEST(NumberText, CountsAndLists) {
  EXPECT_EQ(with_commas(11440000), "11,440,000");
  EXPECT_EQ(with_commas(-1000), "\u22121,000");
  EXPECT_EQ(with_commas(999), "999");
  EXPECT_EQ(counted(1, "seed"), "one seed");
  EXPECT_EQ(counted(3, "seed"), "3 seeds");
  EXPECT_EQ(listed({"a"}), "a");
  EXPECT_EQ(listed({"a", "b", "c"}), "a, b and c");
  EXPECT_EQ(short_count(11440000), "11.4\u00a0M");
}

}  // namespace
}  // namespace moefb::report
