#include "apps/moe-infer/drawing/font.h"

#include <gtest/gtest.h>

namespace moefb::drawing {
namespace {

constexpr Colour kWhite{255, 255, 255};
const TextStyle kStyle{.size = 20, .colour = {0, 0, 0}};

/// Columns and rows that text left ink in.
struct Ink {
  int left = 1000, top = 1000, right = -1, bottom = -1;
};

Ink ink(const Canvas& canvas) {
  Ink box;
  for (int y = 0; y < canvas.height(); ++y) {
    for (int x = 0; x < canvas.width(); ++x) {
      if (canvas.at(x, y).red > 128) continue;
      box.left = std::min(box.left, x);
      box.right = std::max(box.right, x);
      box.top = std::min(box.top, y);
      box.bottom = std::max(box.bottom, y);
    }
  }
  return box;
}

Ink ink_of(std::string_view text, float x, Align align) {
  Canvas canvas(200, 60, kWhite);
  draw_text(canvas, x, 40, text, kStyle, align);
  return ink(canvas);
}

TEST(Font, CapitalsStandOnTheBaselineWithTheirHeight) {
  const Ink h = ink_of("H", 50, Align::kLeft);
  EXPECT_EQ(h.bottom, 39);
  EXPECT_NEAR(h.bottom + 1 - h.top, capital_height(kStyle), 1.1);
  EXPECT_NEAR(capital_height(kStyle), 0.71 * 20, 0.5);
}

TEST(Font, AlignmentPutsTextBeforeAroundOrBehindItsPlace) {
  const Ink left = ink_of("MHM", 100, Align::kLeft), centre = ink_of("MHM", 100, Align::kCentre),
            right = ink_of("MHM", 100, Align::kRight);
  EXPECT_GE(left.left, 100);
  EXPECT_NEAR((centre.left + centre.right) / 2.0, 99.5, 1);
  EXPECT_LT(right.right, 100);
  EXPECT_NEAR(left.right - left.left, text_width("MHM", kStyle), 5);
}

TEST(Font, DigitsAreEquallyWide) {
  for (const char* digit : {"0", "1", "4", "8"}) EXPECT_FLOAT_EQ(text_width(digit, kStyle), text_width("5", kStyle));
}

TEST(Font, KerningBringsLettersTogether) {
  EXPECT_LT(text_width("AV", kStyle), text_width("A", kStyle) + text_width("V", kStyle) - 0.3f);
}

TEST(Font, HasTheLettersOfEuropeanNames) {
  const float missing = text_width("\xff", kStyle);
  for (const char* letter : {"\xc3\xa9", "\xc3\x97", "\xc2\xb7", "\xe2\x80\xa6"}) {  // e acute, times, dot, ellipsis
    EXPECT_NE(text_width(letter, kStyle), missing) << letter;
  }
}

TEST(Font, WhatItLacksAndWhatIsNotUtf8ShowsAsTheReplacementSign) {
  EXPECT_FLOAT_EQ(text_width("\xe7\x8c\xab", kStyle), text_width("\xef\xbf\xbd", kStyle));
  EXPECT_FLOAT_EQ(text_width("\xff", kStyle), text_width("\xef\xbf\xbd", kStyle));
}

TEST(Font, ShortenedTextFitsAndKeepsItsBeginning) {
  const std::string name = "a name that is much too long for its place";
  const std::string cut = shortened(name, kStyle, 120);
  EXPECT_LE(text_width(cut, kStyle), 120);
  EXPECT_GT(text_width(cut, kStyle), 90);
  EXPECT_TRUE(cut.ends_with("\xe2\x80\xa6"));
  EXPECT_TRUE(cut.starts_with("a name"));
  EXPECT_EQ(shortened(name, kStyle, 1000), name);
}

TEST(Font, ShorteningNeverCutsALetterInTwo) {
  std::string accents;
  for (int i = 0; i < 40; ++i) accents += "\xc3\xa9";
  const std::string cut = shortened(accents, kStyle, 100);
  EXPECT_EQ((cut.size() - 3) % 2, 0u);
}

TEST(Font, MediumIsHeavierThanRegular) {
  const auto darkness = [](Weight weight) {
    Canvas canvas(120, 40, kWhite);
    TextStyle style = kStyle;
    style.weight = weight;
    draw_text(canvas, 5, 30, "Expert", style);
    double sum = 0;
    for (const uint8_t p : canvas.pixels()) sum += 255 - p;
    return sum;
  };
  EXPECT_GT(darkness(Weight::kMedium), 1.1 * darkness(Weight::kRegular));
}

}  // namespace
}  // namespace moefb::drawing
