#include "trainer/data/adjust.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace moefb::trainer {
namespace {

void blend_with_constant(std::span<uint8_t> pixels, float constant, float factor) {
  std::array<uint8_t, 256> table;
  for (size_t value = 0; value < table.size(); ++value) table[value] = blend(constant, float(value), factor);
  for (uint8_t& byte : pixels) byte = table[byte];
}

uint8_t mean_luminance(std::span<const uint8_t> pixels) {
  uint64_t sum = 0;
  for (size_t i = 0; i < pixels.size(); i += 3) sum += luminance(&pixels[i]);
  return uint8_t(double(sum) / double(pixels.size() / 3) + 0.5);
}

/// Hue in 0..6, red at 0; 0 for grey.
float hue_of(const uint8_t* pixel, float most, float chroma) {
  if (chroma == 0) return 0;
  const float red = pixel[0], green = pixel[1], blue = pixel[2];
  if (most == red) return green >= blue ? (green - blue) / chroma : 6 + (green - blue) / chroma;
  return most == green ? 2 + (blue - red) / chroma : 4 + (red - green) / chroma;
}

/// One channel of a hue: full within 1 of its peak, the least beyond 2.
uint8_t channel_of(float hue, float peak, float most, float chroma) {
  const float away = std::abs(hue - peak);
  const float share = std::clamp(2 - std::min(away, 6 - away), 0.0f, 1.0f);
  return uint8_t(most - chroma * (1 - share) + 0.5f);
}

}  // namespace

uint8_t luminance(const uint8_t* pixel) {
  return uint8_t((pixel[0] * 19595u + pixel[1] * 38470u + pixel[2] * 7471u + 0x8000u) >> 16);
}

void to_grayscale(std::span<uint8_t> pixels) {
  for (size_t i = 0; i < pixels.size(); i += 3) std::fill_n(&pixels[i], 3, luminance(&pixels[i]));
}

void adjust_brightness(std::span<uint8_t> pixels, double factor) {
  blend_with_constant(pixels, 0, float(factor));
}

void adjust_contrast(std::span<uint8_t> pixels, double factor) {
  blend_with_constant(pixels, mean_luminance(pixels), float(factor));
}

void adjust_saturation(std::span<uint8_t> pixels, double factor) {
  for (size_t i = 0; i < pixels.size(); i += 3) {
    const float grey = luminance(&pixels[i]);
    for (size_t c = i; c < i + 3; ++c) pixels[c] = blend(grey, pixels[c], float(factor));
  }
}

void adjust_hue(std::span<uint8_t> pixels, double turn) {
  for (size_t i = 0; i < pixels.size(); i += 3) {
    uint8_t* pixel = &pixels[i];
    const float most = std::max({pixel[0], pixel[1], pixel[2]});
    const float chroma = most - float(std::min({pixel[0], pixel[1], pixel[2]}));
    float hue = hue_of(pixel, most, chroma) + 6 * float(turn);
    hue -= 6 * std::floor(hue / 6);
    for (int c = 0; c < 3; ++c) pixel[c] = channel_of(hue, float(2 * c), most, chroma);
  }
}

}  // namespace moefb::trainer
