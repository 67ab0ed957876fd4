// Applies an EXIF orientation.
#pragma once

#include "image/formats.h"
#include "moefb/image.h"

namespace moefb::image {

/// Copies a decoded picture as it is meant to be seen; orientations 5 to 8 swap its sides.
/// @param pixels  (header.height, header.width, 3) u8
/// @return kOutOfMemory
Result<Image> turn(const uint8_t* pixels, const Header& header) noexcept;

}  // namespace moefb::image
