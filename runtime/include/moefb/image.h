// Pictures to model input: decode, turn, resize, crop, normalise. One implementation serves trainer and runtime.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "moefb/export.h"
#include "moefb/result.h"

namespace moefb {

/// An RGB picture, 8 bits a channel, rows top to bottom, pixels interleaved.
struct Image {
  int width = 0;
  int height = 0;
  std::unique_ptr<uint8_t[]> pixels;  ///< height * width * 3

  std::span<const uint8_t> bytes() const noexcept { return {pixels.get(), size_t(height) * size_t(width) * 3}; }
};

inline constexpr int64_t kMaxPixels = int64_t{1} << 26;  ///< larger pictures are refused before they are decoded

/// Decodes PNG, JPEG, BMP or GIF (first frame), whatever the file's name says. Grey and palette become RGB, alpha is
/// dropped, 16 bits become 8, CMYK is converted, EXIF orientation is applied.
/// @return kCorruptFile  empty, cut short, not a picture, or a header that lies;
///         kUnsupported  more than kMaxPixels; kOutOfMemory
MOEFB_EXPORT Result<Image> decode_image(std::span<const std::byte> bytes) noexcept;
/// The same from a file. @return also kNotFound, kIo
MOEFB_EXPORT Result<Image> load_image(const char* path) noexcept;

enum class ResizeRule : uint8_t {
  kShorterSide,  ///< the shorter side becomes `resize_to`, the longer one follows (truncated); the centre is cropped
  kStretch,      ///< both sides become the model's, proportions are not kept
};
enum class Filter : uint8_t { kBilinear, kBicubic };  ///< both with antialiasing; bicubic has a = -0.5

/// How a picture becomes a model's input. A model file carries its own (Model::preprocessing).
struct Preprocessing {
  int height = 0;  ///< of the model's input
  int width = 0;
  ResizeRule resize = ResizeRule::kShorterSide;
  int resize_to = 0;  ///< kShorterSide: the shorter side before the crop
  Filter filter = Filter::kBilinear;
  float mean[3] = {0, 0, 0};  ///< per channel, of values in 0..1
  float stddev[3] = {1, 1, 1};
};

/// Resizes and crops to (height, width), as 8-bit pixels. Filter: centres at (o + 0.5) * s, support scaled by max(s,
/// 1), the window clipped at the borders and renormalised, f32 between the two passes, rounded once. Only the cropped
/// window is computed. A crop larger than the resized picture is filled with 0 around it.
/// @param pixels  (height, width, 3) u8, overwritten
MOEFB_EXPORT Status resize_and_crop(const Image& image, const Preprocessing& rule, std::span<uint8_t> pixels) noexcept;

/// (height, width, 3) u8 to (3, height, width) f32: value / 255, minus mean, over stddev.
MOEFB_EXPORT Status normalize(std::span<const uint8_t> pixels, const Preprocessing& rule,
                              std::span<float> planes) noexcept;

/// Both steps at once: a decoded picture to one image of the model's input.
/// @param planes  (3, height, width) f32, overwritten
MOEFB_EXPORT Status preprocess(const Image& image, const Preprocessing& rule, std::span<float> planes) noexcept;

}  // namespace moefb
