#include "trainer/data/warp.h"

#include <gtest/gtest.h>

#include <string>

namespace moefb::trainer {
namespace {

/// A picture from rows of digits, all three channels alike; '.' is black.
std::vector<uint8_t> picture(const std::string& rows) {
  std::vector<uint8_t> pixels;
  for (const char c : rows) {
    if (c != '/') pixels.insert(pixels.end(), 3, c == '.' ? uint8_t{0} : uint8_t(c - '0'));
  }
  return pixels;
}

TEST(Warp, NothingIsNothing) {
  const auto pixels = picture("123/456");
  EXPECT_EQ(warp(pixels, 3, 2, Affine{}), pixels);
  EXPECT_EQ(warp(pixels, 3, 2, rotate(0, 3, 2)), pixels);
}

TEST(Warp, MovesByWholePixels) {
  const auto pixels = picture("123/456/789");
  EXPECT_EQ(warp(pixels, 3, 3, translate(1, 0)), picture(".12/.45/.78"));
  EXPECT_EQ(warp(pixels, 3, 3, translate(-2, 0)), picture("3../6../9.."));
  EXPECT_EQ(warp(pixels, 3, 3, translate(0, 2)), picture(".../.../123"));
  EXPECT_EQ(warp(pixels, 3, 3, translate(0, -1)), picture("456/789/..."));
}

TEST(Warp, ShearsAboutTheTopLeftCorner) {
  // Row y moves by y + 1/2 pixels: that is y + 1 to the left and y to the right, since centres on an edge go right.
  EXPECT_EQ(warp(picture("123/456/789"), 3, 3, shear_x(1)), picture("23./6../..."));
  EXPECT_EQ(warp(picture("123/456/789"), 3, 3, shear_x(-1)), picture("123/.45/..7"));
  EXPECT_EQ(warp(picture("147/258/369"), 3, 3, shear_y(1)), picture("26./3../..."));
  EXPECT_EQ(warp(picture("147/258/369"), 3, 3, shear_y(-1)), picture("1../24./357"));
}

TEST(Warp, RotatesCounterClockwise) {
  EXPECT_EQ(warp(picture("1234/5678/1234/5678"), 4, 4, rotate(90, 4, 4)), picture("4848/3737/2626/1515"));
  EXPECT_EQ(warp(picture("123/456"), 3, 2, rotate(180, 3, 2)), picture("654/321"));
}

TEST(Warp, RotationKeepsTheCentreAndBlackensTheCorners) {
  const auto turned = warp(picture("11111/11111/11911/11111/11111"), 5, 5, rotate(45, 5, 5));
  EXPECT_EQ(turned[(2 * 5 + 2) * 3], 9);
  for (const size_t corner : {0, 4, 20, 24}) EXPECT_EQ(turned[corner * 3], 0);
}

}  // namespace
}  // namespace moefb::trainer
