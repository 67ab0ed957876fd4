#include "apps/moe-infer/drawing/canvas.h"

#include <gtest/gtest.h>

namespace moefb::drawing {
namespace {

constexpr Colour kWhite{255, 255, 255}, kBlack{0, 0, 0};

/// Mean darkness of a canvas drawn in black on white: the area that is covered.
double covered(const Canvas& canvas) {
  double sum = 0;
  for (const uint8_t p : canvas.pixels()) sum += 1.0 - p / 255.0;
  return sum / 3;
}

TEST(Canvas, EdgesOnWholePixelsAreSharp) {
  Canvas canvas(6, 5, kWhite);
  canvas.fill({1, 2, 4, 4}, kBlack);
  for (int y = 0; y < 5; ++y) {
    for (int x = 0; x < 6; ++x) EXPECT_EQ(canvas.at(x, y), x >= 1 && x < 4 && y >= 2 && y < 4 ? kBlack : kWhite);
  }
}

TEST(Canvas, EdgesBetweenPixelsCoverTheirShare) {
  Canvas canvas(8, 3, kWhite);
  canvas.fill({1.5f, 0, 6.25f, 3}, kBlack);
  EXPECT_NEAR(canvas.at(1, 1).red, 127, 1);
  EXPECT_NEAR(canvas.at(6, 1).red, 191, 1);
  EXPECT_EQ(canvas.at(3, 1), kBlack);
}

TEST(Canvas, RoundCornersLeaveOutWhatACircleDoes) {
  Canvas canvas(40, 40, kWhite);
  canvas.fill({4, 4, 36, 36}, kBlack, 1, 16);
  EXPECT_NEAR(covered(canvas), 3.14159 * 16 * 16, 4);
}

TEST(Canvas, FrameLiesInsideItsRectangle) {
  Canvas canvas(10, 10, kWhite);
  canvas.frame({1, 1, 9, 9}, 2, kBlack);
  EXPECT_EQ(canvas.at(0, 5), kWhite);
  EXPECT_EQ(canvas.at(1, 5), kBlack);
  EXPECT_EQ(canvas.at(2, 5), kBlack);
  EXPECT_EQ(canvas.at(3, 5), kWhite);
  EXPECT_NEAR(covered(canvas), 8 * 8 - 4 * 4, 0.01);
}

TEST(Canvas, HatchCoversThicknessOverPeriodAndRunsOnAcrossRectangles) {
  Canvas whole(60, 60, kWhite), halves(60, 60, kWhite);
  whole.hatch({0, 0, 60, 60}, 6, 1.5f, kBlack);
  halves.hatch({0, 0, 23, 60}, 6, 1.5f, kBlack);
  halves.hatch({23, 0, 60, 60}, 6, 1.5f, kBlack);
  EXPECT_NEAR(covered(whole) / 3600, 0.25, 0.02);
  EXPECT_TRUE(std::equal(whole.pixels().begin(), whole.pixels().end(), halves.pixels().begin()));
}

TEST(Canvas, WhatLiesOutsideIsCutOff) {
  Canvas canvas(4, 4, kWhite);
  const uint8_t black[5 * 5 * 3] = {};
  canvas.picture(2, -3, 5, 5, black);
  canvas.fill({-10, 3, 1, 30}, kBlack);
  canvas.blend(-1, 0, kBlack, 1);
  canvas.blend(0, 4, kBlack, 1);
  canvas.hatch({20, 20, 30, 30}, 4, 4, kBlack);
  EXPECT_NEAR(covered(canvas), 2 * 2 + 1, 0.01);
  EXPECT_EQ(canvas.at(3, 1), kBlack);
  EXPECT_EQ(canvas.at(0, 3), kBlack);
}

}  // namespace
}  // namespace moefb::drawing
