// Where in the picture the patches of each MoE layer lie.
#pragma once

#include <cstdint>
#include <vector>

#include "trainer/models/patch_config.h"

namespace moefb::trainer {

/// A rectangle of the network's input, in pixels.
struct Region {
  int64_t left = 0;
  int64_t top = 0;
  int64_t width = 0;
  int64_t height = 0;
};

/// One MoE layer's patches.
struct PatchPlaces {
  int64_t layer = 0;  ///< published index
  int64_t rows = 0;
  int64_t columns = 0;
  int64_t pixels = 0;  ///< side of a patch, in pixels of the input

  /// What patch `place` (row by row) stands on; cut off at the border where padding made the grid larger than the
  /// picture. @param side  of the picture
  Region region(int64_t place, int64_t side) const;
};

/// Of every MoE layer, in order (spec/patch-moe.md, sections 1 and 2). @pre square pictures, no identity stem
std::vector<PatchPlaces> patch_places(const PatchNetConfig& config);

}  // namespace moefb::trainer
