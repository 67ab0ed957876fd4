// Operations of RandAugment on the values of pixels, as PIL's ImageOps and ImageEnhance do them.
// Pixels are RGB bytes, interleaved, changed in place.
#pragma once

#include <cstdint>
#include <span>

namespace moefb::trainer {

void posterize(std::span<uint8_t> pixels, int bits);         ///< keeps so many high bits, 0 to 8
void solarize(std::span<uint8_t> pixels, double threshold);  ///< values from the threshold on become 255 - value
void autocontrast(std::span<uint8_t> pixels);                ///< stretches each channel to 0..255
void equalize(std::span<uint8_t> pixels);                    ///< makes each channel's histogram as flat as it can be

/// Blend with the smoothed picture (3 x 3, the centre counts 5, the eight around it 1; border pixels stay): above 1
/// sharper, below softer.
void adjust_sharpness(std::span<uint8_t> pixels, int width, int height, double factor);

}  // namespace moefb::trainer
