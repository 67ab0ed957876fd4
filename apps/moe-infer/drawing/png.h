// A canvas as a PNG file's bytes.
#pragma once

#include <cstddef>
#include <vector>

#include "apps/moe-infer/drawing/canvas.h"

namespace moefb::drawing {

/// 8-bit RGB; the same bytes for the same pixels. @throws std::bad_alloc
std::vector<std::byte> encode_png(const Canvas& canvas);

}  // namespace moefb::drawing
