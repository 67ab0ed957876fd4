// Colours of a picture made stronger or weaker, as torchvision does it through PIL: a blend with a picture that has
// nothing of the property, out = without + factor * (picture - without), cut to 0..255 and truncated.
// So 1 changes nothing and 0 takes the property away. Pixels are RGB bytes, interleaved, changed in place.
#pragma once

#include <cstdint>
#include <span>

namespace moefb::trainer {

/// 0.299 R + 0.587 G + 0.114 B, rounded: PIL's brightness of a pixel, in 16-bit fixed point.
uint8_t luminance(const uint8_t* pixel);

void to_grayscale(std::span<uint8_t> pixels);                      ///< all three channels: the luminance
void adjust_brightness(std::span<uint8_t> pixels, double factor);  ///< blend with black
void adjust_contrast(std::span<uint8_t> pixels, double factor);    ///< blend with the rounded mean luminance
void adjust_saturation(std::span<uint8_t> pixels, double factor);  ///< blend with the grey picture
/// Turns the hue (of HSV) by a part of the whole circle, -0.5 to 0.5; value and saturation stay. Computed in f32 and
/// rounded, where PIL rounds the hue itself to 8 bits: a turn there and back returns a picture but for rounding.
void adjust_hue(std::span<uint8_t> pixels, double turn);

/// The blend itself, for one value.
inline uint8_t blend(float without, float value, float factor) {
  const float mixed = without + factor * (value - without);
  return mixed <= 0 ? uint8_t{0} : mixed >= 255 ? uint8_t{255} : uint8_t(mixed);
}

}  // namespace moefb::trainer
