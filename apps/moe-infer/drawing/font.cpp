#include "apps/moe-infer/drawing/font.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "apps/moe-infer/drawing/font_files.h"
#include "apps/moe-infer/drawing/utf8.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wsign-compare"
#define STBTT_STATIC
#define STB_TRUETYPE_IMPLEMENTATION
#include <stb/stb_truetype.h>
#pragma GCC diagnostic pop

namespace moefb::drawing {
namespace {

constexpr const char* kEllipsisText = "\xe2\x80\xa6";

/// stb_truetype trusts its font: only files of ours come here.
stbtt_fontinfo open_font(std::span<const unsigned char> file) {
  stbtt_fontinfo font;
  stbtt_InitFont(&font, file.data(), 0);
  return font;
}

const stbtt_fontinfo& font_of(Weight weight) {
  static const stbtt_fontinfo regular = open_font(kRegularFont), medium = open_font(kMediumFont);
  return weight == Weight::kMedium ? medium : regular;
}

float scale_of(const TextStyle& style) {
  return stbtt_ScaleForMappingEmToPixels(&font_of(style.weight), style.size);
}

/// A letter and where it stands, in pixels from the beginning of the text.
struct Placed {
  int glyph;
  float x;
};

int glyph_of(const stbtt_fontinfo& font, uint32_t code) {
  const int glyph = stbtt_FindGlyphIndex(&font, int(code));
  return glyph != 0 ? glyph : stbtt_FindGlyphIndex(&font, int(kNotUtf8));
}

/// Letters with kerning between them. @return their places, and where the text ends as the last element's x
std::vector<Placed> place(std::string_view text, const TextStyle& style) {
  const stbtt_fontinfo& font = font_of(style.weight);
  const float scale = scale_of(style);
  std::vector<Placed> letters;
  float x = 0;
  while (!text.empty()) {
    const int glyph = glyph_of(font, next_code_point(text));
    if (!letters.empty()) x += scale * float(stbtt_GetGlyphKernAdvance(&font, letters.back().glyph, glyph));
    letters.push_back({glyph, x});
    int advance = 0;
    stbtt_GetGlyphHMetrics(&font, glyph, &advance, nullptr);
    x += scale * float(advance);
  }
  letters.push_back({0, x});
  return letters;
}

/// A letter's coverage, placed to a fraction of a pixel, so that spacing stays even at small sizes.
void draw_glyph(Canvas& canvas, int glyph, float x, float baseline, const TextStyle& style, float opacity) {
  const float left = std::floor(x), top = std::floor(baseline), scale = scale_of(style);
  int width = 0, height = 0, dx = 0, dy = 0;
  unsigned char* mask = stbtt_GetGlyphBitmapSubpixel(&font_of(style.weight), scale, scale, x - left, baseline - top,
                                                     glyph, &width, &height, &dx, &dy);
  for (int row = 0; row < height; ++row) {
    for (int column = 0; column < width; ++column) {
      canvas.blend(int(left) + dx + column, int(top) + dy + row, style.colour,
                   opacity * float(mask[row * width + column]) / 255);
    }
  }
  stbtt_FreeBitmap(mask, nullptr);
}

}  // namespace

float text_width(std::string_view text, const TextStyle& style) {
  return place(text, style).back().x;
}

float capital_height(const TextStyle& style) {
  int x0 = 0, y0 = 0, x1 = 0, y1 = 0;
  stbtt_GetCodepointBox(&font_of(style.weight), 'H', &x0, &y0, &x1, &y1);
  return scale_of(style) * float(y1);
}

std::string shortened(std::string_view text, const TextStyle& style, float width) {
  if (text_width(text, style) <= width) return std::string(text);
  std::string fitting;
  for (std::string_view rest = text; !rest.empty();) {
    const size_t before = rest.size();
    next_code_point(rest);
    const std::string longer = fitting + std::string(text.substr(text.size() - before, before - rest.size()));
    if (text_width(longer + kEllipsisText, style) > width) break;
    fitting = longer;
  }
  return fitting + kEllipsisText;
}

void draw_text(Canvas& canvas, float x, float baseline, std::string_view text, const TextStyle& style, Align align,
               float opacity) {
  const std::vector<Placed> letters = place(text, style);
  const float width = letters.back().x;
  if (align == Align::kCentre) x -= width / 2;
  if (align == Align::kRight) x -= width;
  for (size_t i = 0; i + 1 < letters.size(); ++i) {
    draw_glyph(canvas, letters[i].glyph, x + letters[i].x, baseline, style, opacity);
  }
}

}  // namespace moefb::drawing
