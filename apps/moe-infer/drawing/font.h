// Text in the font that is compiled in: Latin letters, digits, a few signs; font/README.md says which.
#pragma once

#include <string>
#include <string_view>

#include "apps/moe-infer/drawing/canvas.h"

namespace moefb::drawing {

enum class Weight { kRegular, kMedium };

struct TextStyle {
  float size = 14;  ///< of the em square, in pixels
  Colour colour{};
  Weight weight = Weight::kRegular;
};

enum class Align { kLeft, kCentre, kRight };

/// Width of UTF-8 text in pixels. Letters the font lacks, and bytes that are not UTF-8, count and show as the
/// replacement sign.
float text_width(std::string_view text, const TextStyle& style);

/// Height of a capital letter or digit in pixels.
float capital_height(const TextStyle& style);

/// `text`, or as much of its beginning as fits into `width` pixels with an ellipsis behind it.
std::string shortened(std::string_view text, const TextStyle& style, float width);

/// @param x         where the text begins, is centred or ends
/// @param baseline  on which its letters stand
void draw_text(Canvas& canvas, float x, float baseline, std::string_view text, const TextStyle& style,
               Align align = Align::kLeft, float opacity = 1);

}  // namespace moefb::drawing
