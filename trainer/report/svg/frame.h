// The field between two axes: grid, ticks and the axes' names.
#pragma once

#include "trainer/report/svg/axis.h"
#include "trainer/report/svg/svg.h"

namespace moefb::report {

struct Frame {
  Axis x, y;
  double left, right, top, bottom;  ///< of the field

  Point place(double x_value, double y_value) const {
    return {x.place(x_value, left, right), y.place(y_value, bottom, top)};
  }
};

/// Leaves room for the ticks' labels in a picture of kChartWidth x `height`.
Frame make_frame(Axis x, Axis y, double height);
/// @param grid  lines through the field at the vertical axis' ticks
void draw_frame(const Frame& frame, Svg& svg, bool grid = true);

}  // namespace moefb::report
