// What each file format must show before its pixels are decoded: a size we accept, and data that can hold that size and
// is there to its end. stb_image allocates what a header asks for and fills up what is missing, so it is asked last.
#pragma once

#include <cstdint>

#include "image/bytes.h"
#include "moefb/result.h"

namespace moefb::image {

inline constexpr size_t kMaxFileBytes = size_t{1} << 30;  ///< stb_image counts in ints and doubles its buffers

/// A picture as its file describes it.
struct Header {
  int64_t width = 0;
  int64_t height = 0;
  int orientation = 1;  ///< EXIF, 1 to 8
};

/// The file was cut before byte `position` could be read.
inline Status cut_short(size_t position) noexcept {
  return Status(Code::kCorruptFile, "the file is cut short").at(int64_t(position));
}

/// @return kCorruptFile  a side below 1;
///         kUnsupported  more than kMaxPixels
Status check_size(int64_t width, int64_t height) noexcept;

// Each walks the structure of a file that begins with its format's signature, and decodes no pixel.
// @return kCorruptFile  cut short, damaged, or too little data for the size in its header;
//         kUnsupported  too many pixels, or a valid kind of file that stb_image cannot decode
Result<Header> inspect_png(Bytes file) noexcept;
Result<Header> inspect_jpeg(Bytes file) noexcept;
Result<Header> inspect_gif(Bytes file) noexcept;
Result<Header> inspect_bmp(Bytes file) noexcept;

}  // namespace moefb::image
