// Tables of numbers as shades of one colour.
#pragma once

#include <string>
#include <vector>

#include "trainer/report/matrix.h"

namespace moefb::report {

struct HeatMap {
  std::string title;  ///< for those who do not see the picture
  std::string row_name, column_name;
  std::vector<std::string> rows, columns;  ///< labels, as many as `values` has
  Matrix values;                           ///< >= 0; not finite: an empty cell
  double full = 1;                         ///< the value with the full colour
  bool as_percent = true;                  ///< how cells and tips show a value: "12", or "0.12"
  bool numbers = true;                     ///< in the cells, where they have room
};

std::string draw(const HeatMap& map);

/// Several small maps with one scale.
struct TileMaps {
  std::string title;
  std::vector<std::string> names;  ///< of the tiles
  std::vector<Matrix> tiles;       ///< of one size
  double full = 1;
};

std::string draw(const TileMaps& maps);

/// The labels "0", "1", ... of `count` experts.
std::vector<std::string> numbered(size_t count);

}  // namespace moefb::report
