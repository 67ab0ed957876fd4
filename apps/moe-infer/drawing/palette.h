// Colours of the experts.
#pragma once

#include "apps/moe-infer/drawing/canvas.h"

namespace moefb::drawing {

inline constexpr int kPaletteSize = 16;

/// The first `kPaletteSize` differ for people with every kind of colour vision; further experts repeat them, and the
/// number in each patch tells them apart.
Colour expert_colour(int expert);

/// Black or white, whichever reads better on `background`.
Colour ink_on(Colour background);

}  // namespace moefb::drawing
