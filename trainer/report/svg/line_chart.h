// Lines over a common horizontal axis.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace moefb::report {

enum class Stroke : uint8_t {
  kBold,    ///< the mean of a group, or its only run
  kThin,    ///< one run of several
  kDashed,  ///< published
};

struct Series {
  std::string label;
  std::string detail;  ///< which run; for tips and CSV
  size_t colour = 0;
  Stroke stroke = Stroke::kBold;
  std::vector<double> x, y;  ///< of one length; a gap where y is not finite, on a logarithmic axis not above 0
  bool markers = false;
};

struct LineChart {
  std::string title;  ///< for those who do not see the picture
  std::string x_name, y_name;
  bool log_x = false, log_y = false;
  bool whole_x = false;         ///< ticks at whole numbers only
  std::vector<double> x_ticks;  ///< in place of round numbers; may be empty
  std::vector<Series> series;
  std::optional<double> reference;  ///< a horizontal dashed line
  bool from_zero = false;           ///< the vertical axis, unless it is logarithmic
  std::optional<double> floor;      ///< what lies below this is drawn there
};

std::string draw(const LineChart& chart);

}  // namespace moefb::report
