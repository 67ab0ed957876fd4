#include "trainer/analysis/contact_sheet.h"

#include <algorithm>
#include <cmath>

namespace moefb::trainer {
namespace {

constexpr uint8_t kWhite = 255;
constexpr uint8_t kOutside = 224;  // another shade than the gaps between tiles

Tile blank(int width, int height, uint8_t value = kWhite) {
  return {width, height, std::vector<uint8_t>(size_t(width) * size_t(height) * 3, value)};
}

uint8_t* pixel(Tile& tile, int x, int y) {
  return tile.rgb.data() + (size_t(y) * size_t(tile.width) + size_t(x)) * 3;
}

const uint8_t* pixel(const Tile& tile, int x, int y) {
  return tile.rgb.data() + (size_t(y) * size_t(tile.width) + size_t(x)) * 3;
}

bool inside(const Region& region, int64_t x, int64_t y) {
  return x >= region.left && x < region.left + region.width && y >= region.top && y < region.top + region.height;
}

/// Two thirds of the way to white.
uint8_t paler(uint8_t value) {
  return uint8_t((value + 2 * kWhite) / 3);
}

Tile enlarged(const Tile& tile, int factor) {
  Tile large = blank(tile.width * factor, tile.height * factor);
  for (int y = 0; y < large.height; ++y) {
    for (int x = 0; x < large.width; ++x) std::copy_n(pixel(tile, x / factor, y / factor), 3, pixel(large, x, y));
  }
  return large;
}

/// Mean of factor x factor pixels from (x, y) on, rounded.
uint8_t mean_of(const Tile& tile, int x, int y, int channel, int factor) {
  int sum = 0;
  for (int dy = 0; dy < factor; ++dy) {
    for (int dx = 0; dx < factor; ++dx) sum += pixel(tile, x + dx, y + dy)[channel];
  }
  return uint8_t((sum + factor * factor / 2) / (factor * factor));
}

/// What is left over at the right and below is cut off.
Tile made_smaller(const Tile& tile, int factor) {
  Tile small = blank(std::max(1, tile.width / factor), std::max(1, tile.height / factor));
  for (int y = 0; y < small.height; ++y) {
    for (int x = 0; x < small.width; ++x) {
      for (int c = 0; c < 3; ++c) pixel(small, x, y)[c] = mean_of(tile, x * factor, y * factor, c, factor);
    }
  }
  return small;
}

Tile as_cell(const Tile& tile) {
  const double longer = std::max(tile.width, tile.height);
  const auto shrink = int(std::lround(longer / kCellPixels));
  if (shrink >= 2) return made_smaller(tile, std::min({shrink, tile.width, tile.height}));
  return enlarged(tile, std::max(1, int(std::lround(kCellPixels / longer))));
}

void paste(Tile& sheet, const Tile& cell, int left, int top) {
  for (int y = 0; y < cell.height; ++y) {
    std::copy_n(pixel(cell, 0, y), size_t(cell.width) * 3, pixel(sheet, left, top + y));
  }
}

}  // namespace

Tile patch_tile(const Tile& picture, const Region& region, int64_t patch_pixels) {
  const int64_t margin = patch_pixels / 2;
  const auto side = int(patch_pixels + 2 * margin);
  Tile tile = blank(side, side, kOutside);
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side; ++x) {
      const int64_t from_x = region.left - margin + x;
      const int64_t from_y = region.top - margin + y;
      if (!inside({0, 0, picture.width, picture.height}, from_x, from_y)) continue;
      const uint8_t* from = pixel(picture, int(from_x), int(from_y));
      uint8_t* to = pixel(tile, x, y);
      const bool in_patch = inside(region, from_x, from_y);
      for (int c = 0; c < 3; ++c) to[c] = in_patch ? from[c] : paler(from[c]);
    }
  }
  return tile;
}

Tile contact_sheet(std::span<const Tile> tiles, int columns) {
  const Tile first = as_cell(tiles.front());
  const int across = std::min(columns, int(tiles.size()));
  const int down = (int(tiles.size()) + across - 1) / across;
  const int step_x = first.width + kGapPixels;
  const int step_y = first.height + kGapPixels;
  Tile sheet = blank(kGapPixels + across * step_x, kGapPixels + down * step_y);
  for (int i = 0; i < int(tiles.size()); ++i) {
    paste(sheet, as_cell(tiles[size_t(i)]), kGapPixels + i % across * step_x, kGapPixels + i / across * step_y);
  }
  return sheet;
}

}  // namespace moefb::trainer
