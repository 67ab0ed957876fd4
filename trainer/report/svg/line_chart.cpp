#include "trainer/report/svg/line_chart.h"

#include <algorithm>
#include <cmath>

#include "trainer/report/number_text.h"
#include "trainer/report/svg/frame.h"

namespace moefb::report {
namespace {

constexpr double kHeight = 310;
constexpr double kMarker = 3.2;

bool drawable(double value, bool log) {
  return std::isfinite(value) && (!log || value > 0);
}

Frame frame_of(const LineChart& chart) {
  Range x(chart.log_x), y(chart.log_y);
  for (const Series& series : chart.series) {
    x.add(series.x);
    for (const double value : series.y) {
      if (drawable(value, chart.log_y)) y.add(std::max(value, chart.floor.value_or(value)));
    }
  }
  if (chart.reference) y.add(*chart.reference);
  if (chart.from_zero && !chart.log_y) y.add(0);
  Axis x_axis = tight_axis(chart.x_name, x, chart.log_x);
  if (chart.whole_x) keep_whole_ticks(x_axis);
  if (!chart.x_ticks.empty()) x_axis.use_ticks(chart.x_ticks);
  return make_frame(std::move(x_axis), round_axis(chart.y_name, y, chart.log_y), kHeight);
}

std::string css_of(const Series& series) {
  static constexpr const char* kStrokes[] = {" bold", " thin", " dashed"};
  return series_line(series.colour) + kStrokes[size_t(series.stroke)];
}

/// The pieces of a line between its gaps.
std::vector<std::vector<Point>> pieces(const Series& series, const Frame& frame) {
  std::vector<std::vector<Point>> pieces(1);
  for (size_t i = 0; i < series.x.size(); ++i) {
    if (drawable(series.x[i], frame.x.log) && drawable(series.y[i], frame.y.log)) {
      pieces.back().push_back(frame.place(series.x[i], series.y[i]));
    } else if (!pieces.back().empty()) {
      pieces.emplace_back();
    }
  }
  return pieces;
}

std::string tip_of(const Series& series) {
  return series.detail.empty() ? series.label : series.label + ", " + series.detail;
}

void draw_markers(const Series& series, const Frame& frame, Svg& svg) {
  const std::string css =
      series.stroke == Stroke::kDashed ? "hollow " + series_line(series.colour) : "dot " + series_fill(series.colour);
  for (size_t i = 0; i < series.x.size(); ++i) {
    if (!drawable(series.x[i], frame.x.log) || !drawable(series.y[i], frame.y.log)) continue;
    const std::string tip = tip_of(series) + ": " + significant(series.y[i], 4) + " at " + significant(series.x[i], 4);
    svg.circle(frame.place(series.x[i], series.y[i]), kMarker, css, tip);
  }
}

void draw_series(const Series& series, const Frame& frame, Svg& svg) {
  for (const auto& piece : pieces(series, frame)) {
    if (piece.size() > 1) svg.polyline(piece, css_of(series), tip_of(series));
    // A line of one point would not show.
    if (piece.size() == 1 && !series.markers)
      svg.circle(piece[0], kMarker, "dot " + series_fill(series.colour), tip_of(series));
  }
  if (series.markers && series.stroke != Stroke::kThin) draw_markers(series, frame, svg);
}

}  // namespace

std::string draw(const LineChart& chart) {
  const Frame frame = frame_of(chart);
  Svg svg(kChartWidth, kHeight, chart.title);
  draw_frame(frame, svg);
  if (chart.reference) {
    const double y = frame.y.place(*chart.reference, frame.bottom, frame.top);
    svg.line({frame.left, y}, {frame.right, y}, "even");
  }
  for (const Stroke stroke : {Stroke::kThin, Stroke::kDashed, Stroke::kBold}) {  // what matters most lies on top
    for (const Series& series : chart.series) {
      if (series.stroke == stroke) draw_series(series, frame, svg);
    }
  }
  return svg.str();
}

}  // namespace moefb::report
