// Patches in their place, in their expert's colour; dropped ones striped.
#include "apps/moe-infer/drawing/expert_tint.h"

#include <gtest/gtest.h>

#include <set>
#include <tuple>

#include "apps/moe-infer/drawing/palette.h"
#include "sheets.h"

namespace moefb::drawing {
namespace {

/// How often neighbouring pixels along the middle row of a rectangle differ much: stripes.
int jumps(const Canvas& canvas, const Rect& rect) {
  const int y = int((rect.top + rect.bottom) / 2);
  int count = 0;
  for (int x = int(rect.left) + 4; x + 4 < int(rect.right); ++x) {
    count += std::abs(int(canvas.at(x, y).red) - int(canvas.at(x + 1, y).red)) > 30;
  }
  return count;
}

TEST(PatchRect, PatchesTileTheViewWithoutSeamsOrOverlap) {
  for (const int grid : {1, 2, 3, 7, 8}) {
    RoutingSheet sheet = sheet_of(grid * 8, grid * 8, 1);
    sheet.view_width = 361;  // no multiple of the grid
    sheet.view_height = 361;
    const ExpertMap map = map_of(std::vector<int64_t>(size_t(grid * grid), 0), grid, grid, 8, 1);
    float x = 5;
    for (int column = 0; column < grid; ++column) {
      const Rect r = patch_rect(sheet, map, 0, column, 5, 9);
      EXPECT_EQ(r.left, x);
      EXPECT_EQ(r.top, 9);
      x = r.right;
    }
    EXPECT_EQ(x, 5 + 361);
    EXPECT_EQ(patch_rect(sheet, map, grid - 1, 0, 5, 9).bottom, 9 + 361);
  }
}

TEST(PatchRect, LayersOfTheSameGridShareTheirBorders) {
  const RoutingSheet sheet = sheet_of(224, 224, 2);
  const ExpertMap early = map_of(std::vector<int64_t>(49, 0), 7, 7, 16 * 2, 1);
  const ExpertMap late = map_of(std::vector<int64_t>(49, 0), 7, 7, 2 * 16, 1);
  for (int64_t i = 0; i < 7; ++i) {
    EXPECT_EQ(patch_rect(sheet, early, i, i, 0, 0).left, patch_rect(sheet, late, i, i, 0, 0).left);
  }
}

TEST(PatchRect, PaddingIsCutAndPatchesOfPaddingAloneAreEmpty) {
  const RoutingSheet sheet = sheet_of(20, 30, 10);
  const ExpertMap map = map_of(std::vector<int64_t>(20, 0), 4, 5, 8, 1);
  EXPECT_EQ(patch_rect(sheet, map, 2, 3, 0, 0).right, 300);   // 24 to 32 of 30 pixels
  EXPECT_EQ(patch_rect(sheet, map, 2, 3, 0, 0).bottom, 200);  // 16 to 24 of 20
  EXPECT_TRUE(patch_rect(sheet, map, 3, 0, 0, 0).empty());
  EXPECT_TRUE(patch_rect(sheet, map, 0, 4, 0, 0).empty());
}

TEST(ExpertTint, EachPatchTakesItsExpertsColour) {
  RoutingSheet sheet = sheet_of(32, 32, 8);
  const ExpertMap map = map_of({0, 1, 2, 3}, 2, 2, 16, 4);
  Canvas canvas(256, 256, {128, 128, 128});
  draw_expert_tint(canvas, sheet, map, 0, 0, 1);
  std::set<std::tuple<int, int, int>> colours;
  for (int e = 0; e < 4; ++e) {
    const Rect r = patch_rect(sheet, map, e / 2, e % 2, 0, 0);
    const Colour middle = canvas.at(int(r.left + r.right) / 2, int(r.top + r.bottom) / 2);
    const Colour border = canvas.at(int(r.right) - 1, int(r.top + r.bottom) / 2);
    EXPECT_EQ(border, expert_colour(e));
    EXPECT_NE(middle, expert_colour(e)) << "the picture does not show through";
    colours.insert({middle.red, middle.green, middle.blue});
    EXPECT_EQ(jumps(canvas, r), 0);
  }
  EXPECT_EQ(colours.size(), 4u);
}

TEST(ExpertTint, PictureShowsThroughTheTint) {
  RoutingSheet sheet = sheet_of(32, 32, 8);
  const ExpertMap map = map_of({1}, 1, 1, 32, 4);
  Canvas canvas(256, 256, {230, 230, 230});
  canvas.fill({0, 128, 256, 256}, {20, 20, 20});
  draw_expert_tint(canvas, sheet, map, 0, 0, 1);
  EXPECT_GT(luma(canvas.at(128, 100)), luma(canvas.at(128, 200)) + 60);
}

TEST(ExpertTint, DroppedPatchesAndOnlyTheyAreStriped) {
  RoutingSheet sheet = sheet_of(32, 32, 8);
  const ExpertMap map = map_of({0, kDropped, kDropped, 1}, 2, 2, 16, 2);
  Canvas canvas(256, 256, {128, 128, 128});
  draw_expert_tint(canvas, sheet, map, 0, 0, 1);
  for (int i = 0; i < 4; ++i) {
    const int striped = jumps(canvas, patch_rect(sheet, map, i / 2, i % 2, 0, 0));
    if (map.expert[size_t(i)] == kDropped) {
      EXPECT_GT(striped, 10) << i;
    } else {
      EXPECT_EQ(striped, 0) << i;
    }
  }
}

TEST(ExpertTint, SmallPatchesGoWithoutNumbers) {
  RoutingSheet sheet = sheet_of(32, 32, 1);
  const ExpertMap map = map_of(std::vector<int64_t>(256, 12), 16, 16, 2, 16);
  Canvas canvas(32, 32, {128, 128, 128});
  draw_expert_tint(canvas, sheet, map, 0, 0, 1);
  for (int y = 0; y < 32; ++y) {
    for (int x = 0; x < 32; ++x) EXPECT_EQ(canvas.at(x, y), expert_colour(12));  // 2 x 2 patches are all border
  }
}

}  // namespace
}  // namespace moefb::drawing
