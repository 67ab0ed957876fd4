// Pictures to files.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace moefb::trainer {

/// Writes an 8-bit RGB PNG, whole or not at all.
/// @param rgb  (height, width, 3) u8
/// @throws std::runtime_error that names the file: cannot be written, or `rgb` has another size
void write_png(const std::string& path, int width, int height, std::span<const uint8_t> rgb);

/// The same as a JPEG.
/// @param quality  1 to 100
void write_jpeg(const std::string& path, int width, int height, std::span<const uint8_t> rgb, int quality = 92);

}  // namespace moefb::trainer
