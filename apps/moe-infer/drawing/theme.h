// The few colours that are no expert's.
#pragma once

#include "apps/moe-infer/drawing/canvas.h"

namespace moefb::drawing {

inline constexpr Colour kPaper{255, 255, 255};
inline constexpr Colour kInk{28, 30, 34};
inline constexpr Colour kNote{104, 110, 120};  // lesser text
inline constexpr Colour kLine{205, 209, 214};  // axes and frames
inline constexpr Colour kStripe{60, 63, 68};   // of dropped patches
inline constexpr Colour kUnstriped{232, 233, 235};

}  // namespace moefb::drawing
