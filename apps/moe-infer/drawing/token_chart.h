// How many tokens each expert took, as bars in the experts' colours: the legend of a panel.
#pragma once

#include <cstdint>
#include <vector>

#include "apps/moe-infer/drawing/canvas.h"

namespace moefb::drawing {

struct TokenCounts {
  std::vector<int64_t> per_expert;
  int64_t dropped = 0;
  int64_t capacity = 0;  ///< of one expert; 0: no limit to show
};

/// @param unit  size of everything in it: 1 for a panel of 360 pixels
void draw_token_chart(Canvas& canvas, const Rect& area, const TokenCounts& counts, float unit);

}  // namespace moefb::drawing
