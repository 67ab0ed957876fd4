// How a camera was held: the one EXIF tag that changes what a picture shows.
#pragma once

#include "image/bytes.h"

namespace moefb::image {

/// The orientation (1 to 8) that a TIFF block tells, as found behind "Exif\0\0" in a JPEG or in PNG's eXIf chunk.
/// A block that is damaged or tells none gives 1, since the picture itself is whole.
int exif_orientation(Bytes tiff) noexcept;

}  // namespace moefb::image
