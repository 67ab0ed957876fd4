// Sizes and places on a sheet of pictures.
#include "trainer/analysis/contact_sheet.h"

#include <gtest/gtest.h>

namespace moefb::trainer {
namespace {

using Rgb = std::vector<uint8_t>;

Tile plain(int width, int height, uint8_t value) {
  return {width, height, Rgb(size_t(width) * size_t(height) * 3, value)};
}

uint8_t red_at(const Tile& tile, int x, int y) {
  return tile.rgb[(size_t(y) * size_t(tile.width) + size_t(x)) * 3];
}

TEST(ContactSheet, OfSmallPicturesDoublesThem) {
  const std::vector<Tile> tiles = {plain(32, 32, 10), plain(32, 32, 20), plain(32, 32, 30)};
  const Tile sheet = contact_sheet(tiles, 2);
  EXPECT_EQ(sheet.width, 4 + 2 * (64 + 4));
  EXPECT_EQ(sheet.height, 4 + 2 * (64 + 4));
  ASSERT_EQ(sheet.rgb.size(), size_t(sheet.width) * size_t(sheet.height) * 3);
  EXPECT_EQ(red_at(sheet, 0, 0), 255);
  EXPECT_EQ(red_at(sheet, 4, 4), 10);
  EXPECT_EQ(red_at(sheet, 67, 67), 10);
  EXPECT_EQ(red_at(sheet, 68, 4), 255);
  EXPECT_EQ(red_at(sheet, 72, 4), 20);
  EXPECT_EQ(red_at(sheet, 4, 72), 30);
  EXPECT_EQ(red_at(sheet, 72, 72), 255);
}

TEST(ContactSheet, OfLargePicturesTakesMeans) {
  Tile large = plain(128, 128, 0);
  for (size_t i = 0; i < large.rgb.size(); i += 2) large.rgb[i] = 200;
  const Tile sheet = contact_sheet(std::vector<Tile>{large}, 8);
  EXPECT_EQ(sheet.width, 4 + 64 + 4);
  EXPECT_EQ(red_at(sheet, 10, 10), 100);
}

TEST(ContactSheet, IsNoWiderThanItsTiles) {
  EXPECT_EQ(contact_sheet(std::vector<Tile>{plain(64, 48, 1)}, 8).width, 4 + 64 + 4);
  EXPECT_EQ(contact_sheet(std::vector<Tile>{plain(64, 48, 1)}, 8).height, 4 + 48 + 4);
}

TEST(ContactSheet, TakesPicturesOfOnePixel) {
  const Tile sheet = contact_sheet(std::vector<Tile>{plain(1, 1, 7)}, 8);
  EXPECT_EQ(sheet.width, 4 + 64 + 4);
  EXPECT_EQ(red_at(sheet, 40, 40), 7);
}

TEST(PatchTile, ShowsThePatchAndPalerWhatIsAroundIt) {
  const Tile picture = plain(16, 16, 30);
  const Tile tile = patch_tile(picture, {4, 4, 4, 4}, 4);
  EXPECT_EQ(tile.width, 8);
  EXPECT_EQ(tile.height, 8);
  EXPECT_EQ(red_at(tile, 2, 2), 30);
  EXPECT_EQ(red_at(tile, 5, 5), 30);
  EXPECT_EQ(red_at(tile, 1, 2), (30 + 2 * 255) / 3);
  EXPECT_EQ(red_at(tile, 6, 5), (30 + 2 * 255) / 3);
}

TEST(PatchTile, IsGreyBeyondTheBorder) {
  const Tile picture = plain(10, 10, 30);
  const Tile tile = patch_tile(picture, {8, 8, 2, 2}, 4);  // the last patch of a padded grid
  EXPECT_EQ(tile.width, 8);
  EXPECT_EQ(red_at(tile, 2, 2), 30);
  EXPECT_EQ(red_at(tile, 3, 3), 30);
  EXPECT_EQ(red_at(tile, 4, 4), 224);
}

}  // namespace
}  // namespace moefb::trainer
