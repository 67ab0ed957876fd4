// Colours that vary as those of photographs do.
//
// Source: torchvision's ColorJitter.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "trainer/data/augment.h"
#include "trainer/data/random.h"

namespace moefb::trainer {

enum class Adjustment : uint8_t { kBrightness, kContrast, kSaturation, kHue };

/// What becomes of one picture.
struct DrawnJitter {
  std::array<Adjustment, 4> order;  ///< all orders have equal chance
  std::array<double, 4> amounts;    ///< by Adjustment: three factors, 1 if off, and a turn, 0 if off
};

DrawnJitter draw_jitter(const ColourJitter& jitter, Random& random);

/// @param pixels  RGB bytes, changed in place. Adjustments that are off are left out, not applied with no effect.
void apply_jitter(const DrawnJitter& drawn, std::span<uint8_t> pixels);

}  // namespace moefb::trainer
