#include "trainer/report/svg/svg.h"

#include <gtest/gtest.h>

#include "trainer/report/svg/heat_map.h"
#include "trainer/report/svg/row_chart.h"

namespace moefb::report {
namespace {

using Lines = std::vector<std::string>;

/// Wide enough for so many characters.
double room(size_t characters) {
  return text_width(std::string(characters, 'x'));
}

TEST(Wrapped, BreaksBetweenWords) {
  EXPECT_EQ(wrapped("patch network, 16 experts", room(14), room(14)), (Lines{"patch network,", "16 experts"}));
  EXPECT_EQ(wrapped("dense", room(14), room(14)), Lines{"dense"});
  EXPECT_EQ(wrapped("", room(14), room(14)), Lines{""});
}

TEST(Wrapped, TheFirstLineHasItsOwnRoom) {
  EXPECT_EQ(wrapped("one two three", room(4), room(20)), (Lines{"one", "two three"}));
}

TEST(Wrapped, AWordThatIsTooLongIsBrokenWithoutLossAndBetweenCharacters) {
  EXPECT_EQ(wrapped("abcdefgh", room(3), room(4)), (Lines{"abc", "defg", "h"}));
  EXPECT_EQ(wrapped("\u00e9\u00e9\u00e9", room(2), room(2)), (Lines{"\u00e9\u00e9", "\u00e9"}));
}

TEST(RowChart, ALongNameIsWrappedAndWholeInATitle) {
  RowChart chart{"what it shows", "accuracy, %", false, false, {}};
  const std::string name =
      "patch network, 16 experts, expert_kernel [3,3,3,3,1], post_kernel [1,1,1,1,1], base_channels 8";
  for (const std::string& label : {name, std::string("dense")}) {
    ChartRow row;
    row.label = label;
    row.value_text = "66.4 %";
    row.mark = 66.4;
    chart.rows.push_back(row);
  }
  const std::string svg = draw(chart);
  EXPECT_NE(svg.find("<title>" + name + "</title>"), std::string::npos);
  EXPECT_EQ(svg.find("\u2026"), std::string::npos);  // nothing is cut
  for (const std::string& line : wrapped(name, kChartWidth - 10 - text_width("66.4 %") - 8, kChartWidth - 10)) {
    EXPECT_NE(svg.find(">" + line + "<"), std::string::npos) << line;
  }
}

TEST(HeatMap, ALongNameOfARowIsWrapped) {
  HeatMap map;
  map.rows = {"American black bear, Ursus americanus", "cat"};
  map.columns = {"0"};
  map.values = {2, 1, {0.5, 0.25}};
  const std::string svg = draw(map);
  EXPECT_NE(svg.find(">American black<"), std::string::npos);
  EXPECT_NE(svg.find("<title>American black bear, Ursus americanus</title>"), std::string::npos);
  EXPECT_EQ(svg.find("\u2026"), std::string::npos);
}

}  // namespace
}  // namespace moefb::report
