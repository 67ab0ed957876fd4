// From rows of experts to pieces of work: tiles, each some rows of one expert.
#pragma once

#include <cstdint>

#include "kernels/routing/host_device.h"

namespace moefb::kernels::routing {

/// Rows first to first + rows of the routes sorted by expert; all of one expert.
struct Tile {
  int32_t expert;
  int32_t first;
  int32_t rows;
};

/// Tiles of at most `most_rows` rows that cut_tiles() can make of `routes` rows at most.
MOEFB_HD constexpr int64_t max_tiles(int64_t routes, int64_t E, int64_t most_rows) noexcept {
  return routes / most_rows + E;
}

/// Cuts the rows of each expert into tiles of at most `most_rows`, equal but for one row, in ascending order.
/// @param offsets    (E + 1) from sort_by_expert
/// @param most_rows  1 or more
/// @param tiles      (max_tiles) out
/// @return how many; an expert without rows has none
MOEFB_HD inline int64_t cut_tiles(const int32_t* offsets, int64_t E, int64_t most_rows, Tile* tiles) noexcept {
  int64_t count = 0;
  for (int64_t e = 0; e < E; ++e) {
    const int64_t first = offsets[e], rows = offsets[e + 1] - first;
    const int64_t pieces = (rows + most_rows - 1) / most_rows;
    for (int64_t piece = 0; piece < pieces; ++piece) {
      const int64_t begin = rows * piece / pieces, end = rows * (piece + 1) / pieces;
      tiles[count++] = {static_cast<int32_t>(e), static_cast<int32_t>(first + begin),
                        static_cast<int32_t>(end - begin)};
    }
  }
  return count;
}

}  // namespace moefb::kernels::routing
