// From a picture of any size to the model's: what the resized sizes are and which window of them is kept.
#include <algorithm>

#include "image/resample.h"
#include "moefb/image.h"

namespace moefb {
namespace {

using image::Window;

struct Size {
  int64_t height;
  int64_t width;
};

// The size before the crop. The longer side is truncated.
Size resized(const Image& image, const Preprocessing& rule) noexcept {
  if (rule.resize == ResizeRule::kStretch) return {rule.height, rule.width};
  const int64_t shorter = std::min(image.height, image.width);
  return {int64_t(image.height) * rule.resize_to / shorter, int64_t(image.width) * rule.resize_to / shorter};
}

// Half of n, rounded to the nearest even number: where Python's round puts a centre crop.
int64_t half_to_even(int64_t n) noexcept {
  const int64_t half = n / 2;
  return n % 2 != 0 && half % 2 != 0 ? half + 1 : half;
}

// A window of one axis, and how many zeros come before it.
struct Crop {
  Window window;
  int64_t padding = 0;
};

// The centre. A crop larger than the axis is padded as torchvision's center_crop does: the odd pixel comes last.
Crop centre_crop(int64_t from, int64_t to, int64_t crop) noexcept {
  if (crop > to) return {{from, to, 0, to}, (crop - to) / 2};
  return {{from, to, half_to_even(to - crop), crop}, 0};
}

Status check(const Image& image, const Preprocessing& rule, size_t bytes) noexcept {
  if (image.width < 1 || image.height < 1 || !image.pixels) return Status(Code::kInvalidArgument, "resize: no picture");
  if (rule.height < 1 || rule.width < 1) return Status(Code::kInvalidArgument, "resize: the model's size is not valid");
  if (rule.resize == ResizeRule::kShorterSide && rule.resize_to < 1) {
    return Status(Code::kInvalidArgument, "resize: shorter side is not valid").values(rule.resize_to, 1);
  }
  const size_t expected = size_t(rule.height) * size_t(rule.width) * 3;
  if (bytes == expected) return Status();
  return Status(Code::kInvalidArgument, "resize: output has a wrong size").values(int64_t(bytes), int64_t(expected));
}

}  // namespace

Status resize_and_crop(const Image& image, const Preprocessing& rule, std::span<uint8_t> pixels) noexcept {
  MOEFB_TRY(check(image, rule, pixels.size()));
  const Size size = resized(image, rule);
  const Crop rows = centre_crop(image.height, size.height, rule.height);
  const Crop columns = centre_crop(image.width, size.width, rule.width);
  const size_t stride = size_t(rule.width) * 3;
  if (rows.window.count < rule.height || columns.window.count < rule.width) {
    std::fill(pixels.begin(), pixels.end(), uint8_t{0});
  }
  uint8_t* dst = pixels.data() + size_t(rows.padding) * stride + size_t(columns.padding) * 3;
  return image::resample(image, rows.window, columns.window, rule.filter, dst, stride);
}

}  // namespace moefb
