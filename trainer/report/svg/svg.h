// Writes one inline SVG picture. Colours and fonts come from the page's style sheet by class, so that light, dark and
// print agree. Coordinates are in units of the view box, y downwards.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace moefb::report {

inline constexpr double kChartWidth = 480;  ///< of every chart; the page scales it to its column
inline constexpr double kFontSize = 12.5;

struct Point {
  double x, y;
};

enum class Anchor : uint8_t { kStart, kMiddle, kEnd };

class Svg {
 public:
  /// @param label  for those who do not see the picture
  Svg(double width, double height, std::string_view label);

  void line(Point a, Point b, std::string_view css);
  void polyline(const std::vector<Point>& points, std::string_view css, std::string_view tip = "");
  /// @param tip  shown while the pointer rests on it; may be empty
  void circle(Point centre, double radius, std::string_view css, std::string_view tip = "");
  /// @param opacity  of the filling
  void rect(Point corner, double width, double height, std::string_view css, double opacity = 1,
            std::string_view tip = "");
  void text(Point at, std::string_view text, std::string_view css, Anchor anchor = Anchor::kStart,
            std::string_view tip = "");

  std::string str() const { return text_ + "</svg>"; }

 private:
  /// Ends an element, with a title in it where there is a tip.
  void close(std::string_view name, std::string_view tip);

  std::string text_;
};

/// About the width of `text` in the page's font at kFontSize; rather too much than too little.
double text_width(std::string_view text);
/// `text`, cut with an ellipsis where it is wider than `width`.
std::string fitted(const std::string& text, double width);

/// `text` in lines, the first at most `first` wide, the others `rest`: broken between words, a longer word within it.
/// Nothing is lost; at least one line, which may be empty.
std::vector<std::string> wrapped(const std::string& text, double first, double rest);

/// CSS classes of the i-th series: its colour, and from the ninth on dashes that tell it from the first eight.
std::string series_line(size_t index);
std::string series_fill(size_t index);

}  // namespace moefb::report
