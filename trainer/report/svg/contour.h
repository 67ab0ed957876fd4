// Level lines of a function on a grid: marching squares.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "trainer/report/matrix.h"
#include "trainer/report/svg/svg.h"

namespace moefb::report {

/// Straight pieces of the line where `values` equals `level`, in grid units: x from 0 to columns - 1, y from 0 to
/// rows - 1, linear between grid points. Squares with a value that is not finite have none. Where a square has two
/// pieces (a saddle), the mean of its corners decides which corners they part.
std::vector<std::pair<Point, Point>> contour(const Matrix& values, double level);

/// Loss on a plane of weights, as shades with level lines.
struct ContourMap {
  std::string title;  ///< for those who do not see the picture
  std::string x_name, y_name;
  std::vector<double> xs, ys;  ///< ascending, at least 2
  Matrix values;               ///< (ys, xs), > 0 to be drawn
};

/// Levels are 1, 2, 5 x 10^n: shades follow the logarithm.
std::string draw(const ContourMap& map);

}  // namespace moefb::report
