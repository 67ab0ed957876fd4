// One row a thing: its name and value above, its bar or its dots below. Names may be long, the picture stays narrow.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace moefb::report {

struct ChartRow {
  std::string label;
  std::string value_text;  ///< at the right end
  size_t colour = 0;
  bool published = false;           ///< drawn hollow
  std::optional<double> bar;        ///< from 0; linear axes only
  std::vector<double> dots;         ///< single runs
  std::optional<double> mark;       ///< the mean: a large dot
  std::optional<double> lo, hi;     ///< ends of a whisker
  std::optional<double> reference;  ///< what chance gives, say: a short upright line
};

struct RowChart {
  std::string title;  ///< for those who do not see the picture
  std::string x_name;
  bool log = false;
  bool from_zero = false;
  std::vector<ChartRow> rows;
};

std::string draw(const RowChart& chart);

}  // namespace moefb::report
