// The only door to stb_image.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>

#include "image/bytes.h"
#include "image/formats.h"
#include "moefb/result.h"

namespace moefb::image {

struct FreeDeleter {
  void operator()(void* p) const noexcept { std::free(p); }
};
using StbPixels = std::unique_ptr<uint8_t[], FreeDeleter>;

/// Decodes a file that its inspect function has accepted.
/// @return (header.height, header.width, 3) u8;
///         kCorruptFile  the data is damaged, or of another size than the header's; kOutOfMemory
Result<StbPixels> decode_with_stb(Bytes file, const Header& header) noexcept;

}  // namespace moefb::image
