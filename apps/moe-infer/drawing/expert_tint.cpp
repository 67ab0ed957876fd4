#include "apps/moe-infer/drawing/expert_tint.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "apps/moe-infer/drawing/font.h"
#include "apps/moe-infer/drawing/palette.h"
#include "apps/moe-infer/drawing/theme.h"

namespace moefb::drawing {
namespace {

constexpr float kTint = 0.52f;        // of the expert's colour; more hides the picture, less the expert
constexpr float kSaturation = 0.25f;  // that the picture keeps, so that its colours are not taken for an expert's
constexpr float kFaded = 0.55f;       // share of paper in a dropped patch

Colour muted(Colour pixel) {
  const auto grey = uint8_t(std::lround(luma(pixel)));
  return mix({grey, grey, grey}, pixel, kSaturation);
}

/// One edge of the grid in canvas pixels, cut at the view.
float edge(double input_pixels, int input, int view) {
  return std::round(float(std::min(input_pixels, double(input)) * view / input));
}

void draw_number(Canvas& canvas, const Rect& patch, int64_t expert, float unit) {
  const float room = std::min(patch.width(), patch.height());
  TextStyle style{.size = std::clamp(room * 0.30f, 9 * unit, 15 * unit), .weight = Weight::kMedium};
  const std::string text = std::to_string(expert);
  const Colour colour = expert_colour(int(expert));
  style.colour = ink_on(colour);
  const float high = capital_height(style), pad = 0.28f * style.size;
  const float width = std::max(text_width(text, style), high) + 2 * pad, height = high + 2 * pad;
  if (width > 0.8f * patch.width() || height > 0.8f * patch.height()) return;
  const Rect badge{patch.left, patch.top, patch.left + width, patch.top + height};
  canvas.fill(badge, colour, 1, 0);
  draw_text(canvas, (badge.left + badge.right) / 2, badge.bottom - pad, text, style, Align::kCentre);
}

void draw_taken(Canvas& canvas, const Rect& patch, int64_t expert, float unit) {
  const Colour colour = expert_colour(int(expert));
  canvas.recolour(patch, [colour](Colour pixel) { return mix(muted(pixel), colour, kTint); });
  canvas.frame(patch, std::max(1.0f, std::round(1.8f * unit)), colour);
  draw_number(canvas, patch, expert, unit);
}

}  // namespace

Rect patch_rect(const RoutingSheet& sheet, const ExpertMap& map, int64_t row, int64_t column, float left, float top) {
  const auto x = [&](int64_t i) { return left + edge(double(i) * map.cell, sheet.input_width, sheet.view_width); };
  const auto y = [&](int64_t i) { return top + edge(double(i) * map.cell, sheet.input_height, sheet.view_height); };
  return {x(column), y(row), x(column + 1), y(row + 1)};
}

void fill_dropped(Canvas& canvas, const Rect& rect, float unit) {
  canvas.recolour(rect, [](Colour pixel) { return mix(muted(pixel), kPaper, kFaded); });
  canvas.hatch(rect, 5.5f * unit, 1.5f * unit, kStripe, 0.8f);
}

void draw_expert_tint(Canvas& canvas, const RoutingSheet& sheet, const ExpertMap& map, float left, float top,
                      float unit) {
  for (int64_t row = 0; row < map.rows; ++row) {
    for (int64_t column = 0; column < map.columns; ++column) {
      const Rect patch = patch_rect(sheet, map, row, column, left, top);
      if (patch.empty()) continue;
      const int64_t expert = map.expert[size_t(row * map.columns + column)];
      if (expert == kDropped) {
        fill_dropped(canvas, patch, unit);
      } else {
        draw_taken(canvas, patch, expert, unit);
      }
    }
  }
}

}  // namespace moefb::drawing
