// Pictures side by side: what an expert takes, for a person to look at.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "trainer/analysis/patch_places.h"

namespace moefb::trainer {

/// An RGB picture, 8 bits a channel, rows top to bottom, pixels interleaved.
struct Tile {
  int width = 0;
  int height = 0;
  std::vector<uint8_t> rgb;  ///< (height, width, 3)
};

/// A patch with its surroundings: half a patch on each side, paler; grey beyond the picture's border. All tiles of one
/// layer have one size, 2 * (patch_pixels / 2) + patch_pixels.
/// @param region        the patch, inside `picture`; at the border it may be smaller than a whole one
/// @param patch_pixels  side of a whole one
Tile patch_tile(const Tile& picture, const Region& region, int64_t patch_pixels);

inline constexpr int kCellPixels = 64;
inline constexpr int kGapPixels = 4;

/// Tiles in a grid on white, row by row. They are enlarged or made smaller by the whole number that brings their longer
/// side next to kCellPixels; between two, and around all, are kGapPixels.
/// @param tiles    at least one; all of one size
/// @param columns  of the grid; the sheet is narrower where there are fewer tiles
Tile contact_sheet(std::span<const Tile> tiles, int columns);

}  // namespace moefb::trainer
