#include "trainer/report/svg/contour.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "trainer/report/number_text.h"
#include "trainer/report/svg/axis.h"
#include "trainer/report/svg/frame.h"
#include "trainer/report/svg/ticks.h"

namespace moefb::report {
namespace {

constexpr double kHeight = 420;
constexpr int kMostLevels = 12;
constexpr double kLabelField = 0.94;  // part of the width in which levels are labelled

/// Where the level lies between two corners, which it parts.
Point between(Point a, double at_a, Point b, double at_b, double level) {
  const double share = (level - at_a) / (at_b - at_a);
  return {a.x + share * (b.x - a.x), a.y + share * (b.y - a.y)};
}

/// One square of the grid; corners in order round it.
struct Square {
  std::array<Point, 4> corners;
  std::array<double, 4> values;

  bool finite() const {
    return std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); });
  }
};

Square square_at(const Matrix& values, size_t row, size_t column) {
  const double x = double(column), y = double(row);
  return {
      {{{x, y}, {x + 1, y}, {x + 1, y + 1}, {x, y + 1}}},
      {values.at(row, column), values.at(row, column + 1), values.at(row + 1, column + 1), values.at(row + 1, column)}};
}

void add_pieces(const Square& square, double level, std::vector<std::pair<Point, Point>>& pieces) {
  std::vector<Point> crossings;  // in order round the square: 0, 2 or 4
  for (size_t i = 0; i < 4; ++i) {
    const size_t next = (i + 1) % 4;
    if ((square.values[i] >= level) == (square.values[next] >= level)) continue;
    crossings.push_back(between(square.corners[i], square.values[i], square.corners[next], square.values[next], level));
  }
  if (crossings.size() == 2) pieces.emplace_back(crossings[0], crossings[1]);
  if (crossings.size() != 4) return;
  // Crossing i lies between corners i and i + 1. Pieces (3,0), (1,2) cut off corners 0 and 2; (0,1), (2,3) the others.
  const double middle = (square.values[0] + square.values[1] + square.values[2] + square.values[3]) / 4;
  const bool cut_first = (square.values[0] >= level) != (middle >= level);
  const size_t shift = cut_first ? 3 : 0;
  pieces.emplace_back(crossings[shift], crossings[(shift + 1) % 4]);
  pieces.emplace_back(crossings[(shift + 2) % 4], crossings[(shift + 3) % 4]);
}

/// 1, 2, 5 x 10^n between the ends, every second or third of them where they are many.
std::vector<double> levels_of(const Range& range) {
  std::vector<double> levels = log_ticks(range.lo(), range.hi(), 1000);
  const size_t stride = (levels.size() + kMostLevels - 1) / kMostLevels;
  std::vector<double> kept;
  for (size_t i = 0; i < levels.size(); i += std::max<size_t>(1, stride)) kept.push_back(levels[i]);
  return kept;
}

Range range_of(const std::vector<double>& values, bool log) {
  Range range(log);
  range.add(values);
  return range;
}

/// A position in grid units to the value there.
double value_at(const std::vector<double>& grid, double position) {
  const size_t index = std::min(size_t(position), grid.size() - 2);
  return grid[index] + (position - double(index)) * (grid[index + 1] - grid[index]);
}

class Drawing {
 public:
  explicit Drawing(const ContourMap& map)
      : map_(map),
        loss_(range_of(map.values.values, true)),
        frame_(make_frame(tight_axis(map.x_name, range_of(map.xs, false), false),
                          tight_axis(map.y_name, range_of(map.ys, false), false), kHeight)),
        svg_(kChartWidth, kHeight, map.title) {}

  std::string draw() {
    draw_cells();
    draw_frame(frame_, svg_, false);
    if (!loss_.empty()) draw_levels();
    svg_.circle(frame_.place(0, 0), 3.5, "centre", "the trained weights");
    return svg_.str();
  }

 private:
  double shade(double value) const {
    if (!(value > 0) || !std::isfinite(value) || loss_.hi() <= loss_.lo()) return 0;
    return std::log(value / loss_.lo()) / std::log(loss_.hi() / loss_.lo());
  }

  /// Cells lie around grid points, those at the edge are half ones.
  Point edge(double column, double row) const {
    const double x = std::clamp(column, 0.0, double(map_.xs.size() - 1));
    const double y = std::clamp(row, 0.0, double(map_.ys.size() - 1));
    return frame_.place(value_at(map_.xs, x), value_at(map_.ys, y));
  }

  void draw_cells() {
    for (size_t row = 0; row < map_.ys.size(); ++row) {
      for (size_t column = 0; column < map_.xs.size(); ++column) {
        const double value = map_.values.at(row, column);
        const Point a = edge(double(column) - 0.5, double(row) + 0.5),
                    b = edge(double(column) + 0.5, double(row) - 0.5);
        svg_.rect(
            a, b.x - a.x, b.y - a.y, "cell crisp", 0.04 + 0.8 * shade(value),
            "loss " + significant(value) + " at " + significant(map_.xs[column]) + ", " + significant(map_.ys[row]));
      }
    }
  }

  void draw_levels() {
    // Between grid points the logarithm is closer to a straight line than the loss.
    Matrix logs = map_.values;
    for (double& value : logs.values) value = value > 0 ? std::log(value) : std::nan("");
    for (const double level : levels_of(loss_)) {
      const auto pieces = contour(logs, std::log(level));
      for (const auto& [a, b] : pieces) svg_.line(edge(a.x, a.y), edge(b.x, b.y), "level");
      if (!pieces.empty()) label(level, pieces);
    }
  }

  /// At the piece farthest to the right, where lines of different levels lie apart, but not at the edge of the field.
  void label(double level, const std::vector<std::pair<Point, Point>>& pieces) {
    const double edge_x = kLabelField * double(map_.xs.size() - 1);
    const auto rank = [edge_x](const auto& piece) { return piece.first.x < edge_x ? piece.first.x : -piece.first.x; };
    const auto right =
        std::max_element(pieces.begin(), pieces.end(), [&](const auto& p, const auto& q) { return rank(p) < rank(q); });
    const Point at = edge(right->first.x, right->first.y);
    const std::string text = significant(level, 1);
    const Point place{std::min(at.x, frame_.right - text_width(text)), std::max(at.y, frame_.top + 12)};
    for (const Point& other : labels_) {
      if (std::abs(other.x - place.x) < 40 && std::abs(other.y - place.y) < 14) return;
    }
    labels_.push_back(place);
    svg_.text(place, text, "level-text");
  }

  const ContourMap& map_;
  Range loss_;
  Frame frame_;
  Svg svg_;
  std::vector<Point> labels_;
};

}  // namespace

std::vector<std::pair<Point, Point>> contour(const Matrix& values, double level) {
  std::vector<std::pair<Point, Point>> pieces;
  for (size_t row = 0; row + 1 < values.rows; ++row) {
    for (size_t column = 0; column + 1 < values.columns; ++column) {
      const Square square = square_at(values, row, column);
      if (square.finite()) add_pieces(square, level, pieces);
    }
  }
  return pieces;
}

std::string draw(const ContourMap& map) {
  return Drawing(map).draw();
}

}  // namespace moefb::report
