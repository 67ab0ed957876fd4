// Are the experts' colours told apart, also by people who see fewer colours?
#include "apps/moe-infer/drawing/palette.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace moefb::drawing {
namespace {

using Vector = std::array<double, 3>;
using Matrix = std::array<Vector, 3>;

Vector operator*(const Matrix& m, const Vector& v) {
  Vector out{};
  for (size_t r = 0; r < 3; ++r) {
    for (size_t c = 0; c < 3; ++c) out[r] += m[r][c] * v[c];
  }
  return out;
}

double linear(uint8_t value) {
  const double v = value / 255.0;
  return v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4);
}

/// Björn Ottosson's OKLab (2020), in which equal distances look equally different.
Vector oklab(const Vector& rgb) {
  const Matrix to_cones = {{{0.4122214708, 0.5363325363, 0.0514459929},
                            {0.2119034982, 0.6806995451, 0.1073969566},
                            {0.0883024619, 0.2817188376, 0.6299787005}}};
  const Matrix to_lab = {{{0.2104542553, 0.7936177850, -0.0040720468},
                          {1.9779984951, -2.4285922050, 0.4505937099},
                          {0.0259040371, 0.7827717662, -0.8086757660}}};
  Vector cones = to_cones * rgb;
  for (double& c : cones) c = std::cbrt(std::max(c, 0.0));
  return to_lab * cones;
}

/// Linear RGB as seen without one kind of cone: Machado, Oliveira and Fernandes 2009, severity 1.
constexpr Matrix kNormal = {{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
constexpr Matrix kProtan = {
    {{0.152286, 1.052583, -0.204868}, {0.114503, 0.786281, 0.099216}, {-0.003882, -0.048116, 1.051998}}};
constexpr Matrix kDeutan = {
    {{0.367322, 0.860646, -0.227968}, {0.280085, 0.672501, 0.047413}, {-0.011820, 0.042940, 0.968881}}};
constexpr Matrix kTritan = {
    {{1.255528, -0.076749, -0.178779}, {-0.078411, 0.930809, 0.147602}, {0.004733, 0.691367, 0.303900}}};

double distance(Colour a, Colour b, const Matrix& vision) {
  const auto seen = [&](Colour c) {
    Vector rgb = vision * Vector{linear(c.red), linear(c.green), linear(c.blue)};
    for (double& v : rgb) v = std::clamp(v, 0.0, 1.0);
    return oklab(rgb);
  };
  const Vector x = seen(a), y = seen(b);
  return std::hypot(x[0] - y[0], x[1] - y[1], x[2] - y[2]);
}

double smallest_distance(int experts, const Matrix& vision) {
  double smallest = 1;
  for (int a = 0; a < experts; ++a) {
    for (int b = 0; b < a; ++b) smallest = std::min(smallest, distance(expert_colour(a), expert_colour(b), vision));
  }
  return smallest;
}

// 0.02 is about what the eye can just tell apart side by side.
TEST(Palette, SixteenColoursDifferInNormalVision) {
  EXPECT_GE(smallest_distance(kPaletteSize, kNormal), 0.09);
}

TEST(Palette, SixteenColoursDifferWithoutOneKindOfCone) {
  EXPECT_GE(smallest_distance(kPaletteSize, kProtan), 0.07);
  EXPECT_GE(smallest_distance(kPaletteSize, kDeutan), 0.07);
  EXPECT_GE(smallest_distance(kPaletteSize, kTritan), 0.05);
}

TEST(Palette, TheFirstFourDifferMuch) {
  for (const Matrix& vision : {kNormal, kProtan, kDeutan}) EXPECT_GE(smallest_distance(4, vision), 0.11);
}

TEST(Palette, FurtherExpertsRepeatTheColours) {
  EXPECT_EQ(expert_colour(kPaletteSize), expert_colour(0));
  EXPECT_EQ(expert_colour(3 * kPaletteSize + 5), expert_colour(5));
}

TEST(Palette, InkContrastsWithEveryColour) {
  for (int e = 0; e < kPaletteSize; ++e) {
    EXPECT_GE(std::fabs(luma(expert_colour(e)) - luma(ink_on(expert_colour(e)))), 100) << e;
  }
}

}  // namespace
}  // namespace moefb::drawing
