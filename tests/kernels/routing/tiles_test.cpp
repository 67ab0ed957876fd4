#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "kernels/routing.h"

namespace moefb::kernels::routing {
namespace {

struct Case {
  std::vector<int32_t> rows;  ///< of each expert
  int64_t most_rows;
};

std::vector<int32_t> offsets_of(const std::vector<int32_t>& rows) {
  std::vector<int32_t> offsets{0};
  for (const int32_t n : rows) offsets.push_back(offsets.back() + n);
  return offsets;
}

std::vector<Tile> tiles_of(const Case& c) {
  const std::vector<int32_t> offsets = offsets_of(c.rows);
  const auto E = static_cast<int64_t>(c.rows.size());
  std::vector<Tile> tiles(static_cast<size_t>(max_tiles(offsets.back(), E, c.most_rows)));
  const int64_t count = cut_tiles(offsets.data(), E, c.most_rows, tiles.data());
  EXPECT_LE(count, static_cast<int64_t>(tiles.size()));
  tiles.resize(static_cast<size_t>(count));
  return tiles;
}

const std::vector<Case> kCases = {{{}, 16},
                                  {{0}, 16},
                                  {{1}, 16},
                                  {{16}, 16},
                                  {{17}, 16},
                                  {{33, 0, 1}, 16},
                                  {{0, 0, 500, 3}, 100},
                                  {{7, 7, 7}, 1000},
                                  {{4096, 1, 0, 31}, 128},
                                  {{5, 0, 3}, 1},
                                  {{2, 9, 1}, 2}};

TEST(CutTiles, CoverEveryRowOnceInOrder) {
  for (const Case& c : kCases) {
    const std::vector<int32_t> offsets = offsets_of(c.rows);
    int32_t next = 0;
    for (const Tile& tile : tiles_of(c)) {
      EXPECT_EQ(tile.first, next);
      EXPECT_GE(tile.rows, 1);
      EXPECT_LE(tile.rows, c.most_rows);
      next = tile.first + tile.rows;
    }
    EXPECT_EQ(next, offsets.back());
  }
}

TEST(CutTiles, HoldRowsOfOneExpertOnly) {
  for (const Case& c : kCases) {
    const std::vector<int32_t> offsets = offsets_of(c.rows);
    for (const Tile& tile : tiles_of(c)) {
      ASSERT_LT(tile.expert, static_cast<int32_t>(c.rows.size()));
      EXPECT_GE(tile.first, offsets[static_cast<size_t>(tile.expert)]);
      EXPECT_LE(tile.first + tile.rows, offsets[static_cast<size_t>(tile.expert) + 1]);
    }
  }
}

TEST(CutTiles, ShareAnExpertsRowsEvenly) {
  const std::vector<Tile> tiles = tiles_of({{0, 129}, 64});
  ASSERT_EQ(tiles.size(), 3u);
  for (const Tile& tile : tiles) EXPECT_EQ(tile.rows, 43);
}

}  // namespace
}  // namespace moefb::kernels::routing
