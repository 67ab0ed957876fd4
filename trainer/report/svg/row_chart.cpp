#include "trainer/report/svg/row_chart.h"

#include <algorithm>
#include <utility>

#include "trainer/report/number_text.h"
#include "trainer/report/svg/axis.h"
#include "trainer/report/svg/svg.h"

namespace moefb::report {
namespace {

constexpr double kRow = 46;     // with a label of one line
constexpr double kLabel = 15;   // baseline of the label's first line, from the row's top
constexpr double kLine = 15;    // between lines of a label
constexpr double kMiddle = 29;  // of the bar or the dots, below a label of one line
constexpr double kBar = 11;     // height
constexpr double kLeft = 6, kRight = kChartWidth - 14;
constexpr double kAxisHeight = 48;
constexpr double kMark = 5, kDot = 3;

Axis axis_of(const RowChart& chart) {
  Range range(chart.log);
  for (const ChartRow& row : chart.rows) {
    range.add(row.dots);
    for (const auto& value : {row.bar, row.mark, row.lo, row.hi, row.reference}) {
      if (value) range.add(*value);
    }
    if (row.bar || chart.from_zero) range.add(0);  // a logarithmic range passes over it
  }
  return round_axis(chart.x_name, range, chart.log, 6);
}

/// Where a row lies, and its label's lines.
struct Place {
  std::vector<std::string> lines;
  double top, middle;  ///< of the row; of its bar or dots
};

std::vector<Place> places_of(const RowChart& chart) {
  std::vector<Place> places;
  double top = 0;
  for (const ChartRow& row : chart.rows) {
    const double room = kChartWidth - kLeft - 4;
    Place place{wrapped(row.label, room - text_width(row.value_text) - 8, room), top, 0};
    const double more = kLine * double(place.lines.size() - 1);
    place.middle = top + more + kMiddle;
    top += more + kRow;
    places.push_back(std::move(place));
  }
  return places;
}

class Drawing {
 public:
  Drawing(const RowChart& chart)
      : chart_(chart),
        axis_(axis_of(chart)),
        places_(places_of(chart)),
        bottom_(places_.empty() ? 0 : places_.back().middle + kRow - kMiddle),
        svg_(kChartWidth, bottom_ + kAxisHeight, chart.title) {}

  std::string draw() {
    draw_axis();
    for (size_t i = 0; i < chart_.rows.size(); ++i) draw_row(chart_.rows[i], places_[i]);
    return svg_.str();
  }

 private:
  double x(double value) const { return axis_.place(value, kLeft, kRight); }

  void draw_axis() {
    for (size_t i = 0; i < axis_.ticks.size(); ++i) {
      const double at = x(axis_.ticks[i]);
      for (const Place& place : places_) {  // not through the labels
        svg_.line({at, place.middle - kBar}, {at, place.middle + kBar}, "grid");
      }
      const Anchor anchor = i == 0 ? Anchor::kStart : i + 1 == axis_.ticks.size() ? Anchor::kEnd : Anchor::kMiddle;
      svg_.text({anchor == Anchor::kStart ? at - 4
                 : anchor == Anchor::kEnd ? at + 10
                                          : at,
                 bottom_ + 15},
                axis_.texts[i], "soft", anchor);
    }
    svg_.text({(kLeft + kRight) / 2, bottom_ + 38}, axis_.name, "name", Anchor::kMiddle);
  }

  void draw_row(const ChartRow& row, const Place& place) {
    for (size_t i = 0; i < place.lines.size(); ++i) {
      svg_.text({kLeft, place.top + kLabel + kLine * double(i)}, place.lines[i], "ink", Anchor::kStart, row.label);
    }
    svg_.text({kChartWidth - 4, place.top + kLabel}, row.value_text, "value", Anchor::kEnd);
    const double y = place.middle;
    if (row.bar) draw_bar(row, y);
    if (row.reference) svg_.line({x(*row.reference), y - 9}, {x(*row.reference), y + 9}, "even");
    if (row.lo && row.hi) draw_whisker(row, y);
    for (const double dot : row.dots)
      svg_.circle({x(dot), y}, kDot, "seed " + series_fill(row.colour), significant(dot, 4));
    if (row.mark) draw_mark(row, y);
  }

  void draw_bar(const ChartRow& row, double y) {
    const double from = x(0), to = x(*row.bar);
    const std::string css = row.published ? "hollow " + series_line(row.colour) : "bar " + series_fill(row.colour);
    svg_.rect({std::min(from, to), y - kBar / 2}, std::abs(to - from), kBar, css, 1, row.label + ": " + row.value_text);
  }

  void draw_whisker(const ChartRow& row, double y) {
    const std::string css = "whisker " + series_line(row.colour);
    svg_.line({x(*row.lo), y}, {x(*row.hi), y}, css);
    for (const double end : {*row.lo, *row.hi}) svg_.line({x(end), y - 4}, {x(end), y + 4}, css);
  }

  void draw_mark(const ChartRow& row, double y) {
    const std::string css = row.published ? "hollow " + series_line(row.colour) : "dot " + series_fill(row.colour);
    svg_.circle({x(*row.mark), y}, kMark, css, row.label + ": " + row.value_text);
  }

  const RowChart& chart_;
  Axis axis_;
  std::vector<Place> places_;
  double bottom_;
  Svg svg_;
};

}  // namespace

std::string draw(const RowChart& chart) {
  return Drawing(chart).draw();
}

}  // namespace moefb::report
