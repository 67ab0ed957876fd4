#include "image/exif.h"

namespace moefb::image {
namespace {

constexpr uint32_t kOrientationTag = 0x0112;
constexpr uint32_t kShort = 3;

// Numbers in the byte order that the block itself chooses.
struct TiffReader {
  Cursor in;
  bool little;
  uint32_t u16() noexcept { return little ? in.u16le() : in.u16be(); }
  uint32_t u32() noexcept { return little ? in.u32le() : in.u32be(); }
};

}  // namespace

int exif_orientation(Bytes tiff) noexcept {
  Cursor in(tiff);
  const uint32_t order = in.u16be();
  if (order != 0x4949 && order != 0x4D4D) return 1;  // "II" or "MM"
  TiffReader head{in, order == 0x4949};
  if (head.u16() != 42) return 1;
  const size_t first_directory = head.u32();
  if (!head.in.ok() || first_directory > tiff.size()) return 1;

  // Only the first directory is read: none is followed, so a loop among them does no harm.
  TiffReader directory{Cursor(tiff.subspan(first_directory)), head.little};
  for (uint32_t entries = directory.u16(); entries > 0 && directory.in.ok(); --entries) {
    const uint32_t tag = directory.u16();
    const uint32_t type = directory.u16();
    const uint32_t count = directory.u32();
    const uint32_t value = directory.u16();  // a single short lies at the start of the value's four bytes
    directory.in.skip(2);
    if (!directory.in.ok() || tag != kOrientationTag) continue;
    return type == kShort && count == 1 && value >= 1 && value <= 8 ? int(value) : 1;
  }
  return 1;
}

}  // namespace moefb::image
