// 8-bit pixels to the planes of floats that a model takes.
#include <cmath>
#include <new>

#include "moefb/image.h"

namespace moefb {
namespace {

Status check(const Preprocessing& rule, size_t pixels, size_t planes) noexcept {
  if (rule.height < 1 || rule.width < 1) {
    return Status(Code::kInvalidArgument, "normalize: the model's size is not valid");
  }
  const size_t expected = size_t(rule.height) * size_t(rule.width) * 3;
  if (pixels != expected || planes != expected) {
    return Status(Code::kInvalidArgument, "normalize: a span has a wrong size")
        .values(int64_t(pixels != expected ? pixels : planes), int64_t(expected));
  }
  for (int c = 0; c < 3; ++c) {
    if (!std::isfinite(rule.mean[c]) || !std::isfinite(rule.stddev[c]) || rule.stddev[c] == 0) {
      return Status(Code::kInvalidArgument, "normalize: mean or deviation of a channel is not valid").at(c);
    }
  }
  return Status();
}

}  // namespace

Status normalize(std::span<const uint8_t> pixels, const Preprocessing& rule, std::span<float> planes) noexcept {
  MOEFB_TRY(check(rule, pixels.size(), planes.size()));
  const size_t area = size_t(rule.height) * size_t(rule.width);
  for (size_t c = 0; c < 3; ++c) {
    float value_of[256];
    for (int byte = 0; byte < 256; ++byte) value_of[byte] = (float(byte) / 255.0f - rule.mean[c]) / rule.stddev[c];
    for (size_t i = 0; i < area; ++i) planes[c * area + i] = value_of[pixels[i * 3 + c]];
  }
  return Status();
}

Status preprocess(const Image& image, const Preprocessing& rule, std::span<float> planes) noexcept {
  const std::unique_ptr<uint8_t[]> pixels(new (std::nothrow) uint8_t[planes.size()]);
  if (!pixels) return Status(Code::kOutOfMemory, "no memory for its resized pixels");
  const std::span<uint8_t> resized(pixels.get(), planes.size());
  MOEFB_TRY(resize_and_crop(image, rule, resized));
  return normalize(resized, rule, planes);
}

}  // namespace moefb
