#include "trainer/report/svg/contour.h"

#include <gtest/gtest.h>

#include <cmath>

namespace moefb::report {
namespace {

Matrix grid(size_t rows, size_t columns, double (*value)(double, double)) {
  Matrix matrix{rows, columns, {}};
  for (size_t y = 0; y < rows; ++y) {
    for (size_t x = 0; x < columns; ++x) matrix.values.push_back(value(double(x), double(y)));
  }
  return matrix;
}

TEST(Contour, OfAPlaneIsItsLevelLine) {
  const auto pieces = contour(grid(4, 5, [](double x, double y) { return x + 2 * y; }), 3.3);
  ASSERT_FALSE(pieces.empty());
  for (const auto& [a, b] : pieces) {
    EXPECT_NEAR(a.x + 2 * a.y, 3.3, 1e-12);
    EXPECT_NEAR(b.x + 2 * b.y, 3.3, 1e-12);
  }
}

TEST(Contour, OfABowlClosesAroundItsCentre) {
  const auto pieces =
      contour(grid(9, 9, [](double x, double y) { return (x - 4) * (x - 4) + (y - 4) * (y - 4); }), 5.3);
  // A closed line: every end is the end of exactly one other piece.
  for (const auto& piece : pieces) {
    for (const Point end : {piece.first, piece.second}) {
      int meetings = 0;
      for (const auto& other : pieces) {
        for (const Point p : {other.first, other.second}) meetings += std::hypot(p.x - end.x, p.y - end.y) < 1e-9;
      }
      EXPECT_EQ(meetings, 2);
    }
  }
  EXPECT_GE(pieces.size(), 8u);
}

TEST(Contour, OfASaddlePartsTheCornersThatTheMiddleDoesNotJoin) {
  const Matrix high_middle{2, 2, {1, 0, 0, 1}};   // 1 at (0, 0) and (1, 1)
  const auto joined = contour(high_middle, 0.4);  // the middle, 0.5, is above: the zeros are cut off
  ASSERT_EQ(joined.size(), 2u);
  for (const auto& [a, b] : joined)
    EXPECT_TRUE((a.x + b.x) / 2 - (a.y + b.y) / 2 > 0.25 || (a.y + b.y) / 2 - (a.x + b.x) / 2 > 0.25);
  const auto parted = contour(high_middle, 0.6);  // the ones are cut off
  ASSERT_EQ(parted.size(), 2u);
  for (const auto& [a, b] : parted) EXPECT_NEAR((a.x + b.x) / 2, (a.y + b.y) / 2, 1e-12);
}

TEST(Contour, PassesOverWhatIsNoNumber) {
  EXPECT_TRUE(contour(Matrix{2, 2, {0, 1, std::nan(""), 1}}, 0.5).empty());
}

TEST(Contour, IsEmptyWhereTheLevelIsNotReached) {
  EXPECT_TRUE(contour(grid(3, 3, [](double, double) { return 1.0; }), 2).empty());
}

}  // namespace
}  // namespace moefb::report
