#include "apps/moe-infer/drawing/token_chart.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "apps/moe-infer/drawing/expert_tint.h"
#include "apps/moe-infer/drawing/font.h"
#include "apps/moe-infer/drawing/palette.h"
#include "apps/moe-infer/drawing/theme.h"

namespace moefb::drawing {
namespace {

// At unit 1.
constexpr float kWidestBar = 52;
constexpr float kLabel = 11;   // size of all text
constexpr float kBelow = 16;   // for the experts' numbers
constexpr float kAbove = 22;   // for the count on the highest bar
constexpr float kSwatch = 14;  // of the dropped tokens
constexpr const char* kDroppedName = "dropped";

/// Bars side by side. Dropped tokens are no expert's: they have a number and a swatch to the right, but no bar, which
/// would dwarf the others where many are dropped.
class Chart {
 public:
  Chart(Canvas& canvas, const Rect& area, const TokenCounts& counts, float unit)
      : canvas_(canvas),
        counts_(counts),
        unit_(unit),
        hairline_(std::max(1.0f, std::round(unit))),
        name_{.size = kLabel * unit, .colour = kNote},
        count_{.size = kLabel * unit, .colour = kInk},
        floor_(std::round(area.bottom - kBelow * unit)),
        ceiling_(std::round(area.top + kAbove * unit)),
        left_(area.left),
        right_(area.right) {
    const float room = area.width() - text_width(kDroppedName, name_) - kSwatch * unit;
    step_ = std::min(room / float(counts.per_expert.size()), kWidestBar * unit);
    most_ = std::max<int64_t>(counts.capacity, 1);
    for (const int64_t n : counts.per_expert) most_ = std::max(most_, n);
  }

  void draw() {
    for (size_t e = 0; e < counts_.per_expert.size(); ++e) canvas_.fill(bar(e), expert_colour(int(e)));
    canvas_.fill({left_, floor_, bars_end(), floor_ + hairline_}, kLine);
    if (counts_.capacity > 0) draw_capacity();
    for (size_t e = 0; e < counts_.per_expert.size(); ++e) label(e);
    draw_dropped();
  }

 private:
  float bars_end() const { return left_ + float(counts_.per_expert.size()) * step_; }
  float height_of(int64_t tokens) const { return std::round((floor_ - ceiling_) * float(tokens) / float(most_)); }

  Rect bar(size_t e) const {
    const float gap = 0.12f * step_, left = std::round(left_ + float(e) * step_ + gap / 2);
    const float right = std::round(left_ + float(e + 1) * step_ - gap / 2);
    return {left, floor_ - height_of(counts_.per_expert[e]), std::max(right, left + 1), floor_};
  }

  void draw_capacity() {
    const float y = floor_ - height_of(counts_.capacity), dash = 4 * unit_;
    for (float x = left_; x < bars_end(); x += 2 * dash) {
      canvas_.fill({x, y - hairline_, std::min(x + dash, bars_end()), y}, kInk, 0.6f);
    }
  }

  /// Count above and number below, where there is room for them.
  void label(size_t e) {
    const Rect at = bar(e);
    const float middle = (at.left + at.right) / 2;
    const std::string number = std::to_string(e), count = std::to_string(counts_.per_expert[e]);
    if (text_width(number, name_) <= step_) {
      draw_text(canvas_, middle, floor_ + 13 * unit_, number, name_, Align::kCentre);
    }
    if (text_width(count, count_) <= step_) draw_count(middle, at.top - 4 * unit_, count);
  }

  /// On paper, so that the line of the capacity does not cross it out.
  void draw_count(float middle, float baseline, const std::string& count) {
    const float half = text_width(count, count_) / 2 + unit_;
    canvas_.fill({middle - half, baseline - capital_height(count_) - unit_, middle + half, baseline + unit_}, kPaper);
    draw_text(canvas_, middle, baseline, count, count_, Align::kCentre);
  }

  void draw_dropped() {
    const float middle = right_ - text_width(kDroppedName, name_) / 2, side = std::round(kSwatch * unit_);
    const Rect swatch{std::round(middle - side / 2), floor_ - side, std::round(middle - side / 2) + side, floor_};
    fill_dropped(canvas_, swatch, unit_);
    canvas_.frame(swatch, hairline_, kLine);
    draw_text(canvas_, right_, floor_ + 13 * unit_, kDroppedName, name_, Align::kRight);
    draw_text(canvas_, middle, swatch.top - 4 * unit_, std::to_string(counts_.dropped), count_, Align::kCentre);
  }

  Canvas& canvas_;
  const TokenCounts& counts_;
  float unit_;
  float hairline_;
  TextStyle name_;
  TextStyle count_;
  float floor_;
  float ceiling_;
  float left_;
  float right_;
  float step_ = 0;
  int64_t most_ = 1;
};

}  // namespace

void draw_token_chart(Canvas& canvas, const Rect& area, const TokenCounts& counts, float unit) {
  Chart(canvas, area, counts, unit).draw();
}

}  // namespace moefb::drawing
