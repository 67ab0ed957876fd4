#include "trainer/report/svg/frame.h"

#include <algorithm>

namespace moefb::report {
namespace {

constexpr double kGap = 8;      // between the ticks' labels and the field
constexpr double kTop = 30;     // the vertical axis' name stands above the field
constexpr double kBottom = 46;  // ticks' labels, the axis' name
constexpr double kTickBaseline = 17, kNameBaseline = 38;
constexpr double kHalfCapital = 4.3;  // lowers a label so that its middle is at the tick

double widest(const std::vector<std::string>& texts) {
  double width = 0;
  for (const std::string& text : texts) width = std::max(width, text_width(text));
  return width;
}

}  // namespace

Frame make_frame(Axis x, Axis y, double height) {
  Frame frame{std::move(x), std::move(y), 0, 0, kTop, height - kBottom};
  const double last = frame.x.texts.empty() ? 0 : text_width(frame.x.texts.back());
  frame.left = widest(frame.y.texts) + kGap;
  frame.right = kChartWidth - std::max(10.0, last / 2 + 2);
  return frame;
}

void draw_frame(const Frame& frame, Svg& svg, bool grid) {
  for (size_t i = 0; i < frame.y.ticks.size(); ++i) {
    const double y = frame.y.place(frame.y.ticks[i], frame.bottom, frame.top);
    if (grid) svg.line({frame.left, y}, {frame.right, y}, "grid");
    svg.text({frame.left - kGap, y + kHalfCapital}, frame.y.texts[i], "soft", Anchor::kEnd);
  }
  for (size_t i = 0; i < frame.x.ticks.size(); ++i) {
    const double x = frame.x.place(frame.x.ticks[i], frame.left, frame.right);
    svg.line({x, frame.bottom}, {x, frame.bottom + 4}, "axis");
    svg.text({x, frame.bottom + kTickBaseline}, frame.x.texts[i], "soft", Anchor::kMiddle);
  }
  svg.line({frame.left, frame.bottom}, {frame.right, frame.bottom}, "axis");
  svg.text({0, 13}, frame.y.name, "name");
  svg.text({(frame.left + frame.right) / 2, frame.bottom + kNameBaseline}, frame.x.name, "name", Anchor::kMiddle);
}

}  // namespace moefb::report
