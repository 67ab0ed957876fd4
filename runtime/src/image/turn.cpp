#include "image/turn.h"

#include <algorithm>
#include <new>

namespace moefb::image {
namespace {

// Where the output's first pixel is found in the source, and how far to go there for one step right or down; in pixels.
struct Walk {
  int64_t start;
  int64_t right;
  int64_t down;
};

Walk walk_for(const Header& header) noexcept {
  const int64_t w = header.width;
  const int64_t last = w * header.height - 1;
  const int64_t bottom_left = last - (w - 1);
  switch (header.orientation) {
    case 2:  // mirrored left to right
      return {w - 1, -1, w};
    case 3:  // half a turn
      return {last, -1, -w};
    case 4:  // mirrored top to bottom
      return {bottom_left, 1, -w};
    case 5:  // transposed
      return {0, w, 1};
    case 6:  // needs a quarter turn to the right
      return {bottom_left, -w, 1};
    case 7:  // transposed along the other diagonal
      return {last, -w, -1};
    case 8:  // needs a quarter turn to the left
      return {w - 1, w, -1};
    default:
      return {0, 1, w};
  }
}

}  // namespace

Result<Image> turn(const uint8_t* pixels, const Header& header) noexcept {
  Image image;
  const bool swap_sides = header.orientation >= 5;
  image.width = int(swap_sides ? header.height : header.width);
  image.height = int(swap_sides ? header.width : header.height);
  const size_t bytes = size_t(header.width) * size_t(header.height) * 3;
  image.pixels.reset(new (std::nothrow) uint8_t[bytes]);
  if (!image.pixels) return Status(Code::kOutOfMemory, "no memory for its pixels");
  if (header.orientation == 1) {
    std::copy_n(pixels, bytes, image.pixels.get());
    return Result<Image>(std::move(image));
  }

  // In strips, so that lines of the source stay in cache while they are crossed.
  constexpr int kStrip = 64;
  const Walk walk = walk_for(header);
  for (int left = 0; left < image.width; left += kStrip) {
    const int right = std::min(left + kStrip, image.width);
    for (int y = 0; y < image.height; ++y) {
      uint8_t* dst = image.pixels.get() + (size_t(y) * size_t(image.width) + size_t(left)) * 3;
      int64_t from = walk.start + y * walk.down + left * walk.right;
      for (int x = left; x < right; ++x, dst += 3, from += walk.right) std::copy_n(pixels + from * 3, 3, dst);
    }
  }
  return Result<Image>(std::move(image));
}

}  // namespace moefb::image
