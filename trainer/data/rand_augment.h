// RandAugment: a few operations out of fourteen, all with one strength.
//
// Source: Cubuk et al. 2019 (arXiv:1909.13719), with torchvision's operations, ranges and 31 magnitudes, on 8-bit
// pictures, nearest pixel, black fill.
#pragma once

#include <cstdint>
#include <vector>

#include "trainer/data/random.h"

namespace moefb::trainer {

enum class Operation : uint8_t {
  kIdentity,
  kShearX,
  kShearY,
  kTranslateX,
  kTranslateY,
  kRotate,
  kBrightness,
  kColour,
  kContrast,
  kSharpness,
  kPosterize,
  kSolarize,
  kAutoContrast,
  kEqualize
};
inline constexpr int kOperations = 14;
inline constexpr int kMagnitudes = 31;

/// What a magnitude means: the amount of shear; pixels; degrees; what is added to a factor of 1; bits; a threshold; 0
/// for the three that have none. Positive: draw_operation() gives half of those with two directions the other sign.
/// @param magnitude  0 to 30
double amount_of(Operation operation, int magnitude, int width, int height);

struct DrawnOperation {
  Operation operation = Operation::kIdentity;
  double amount = 0;
};

DrawnOperation draw_operation(int magnitude, int width, int height, Random& random);

/// @param pixels  (height, width, 3), changed in place
void apply_operation(const DrawnOperation& drawn, int width, int height, std::vector<uint8_t>& pixels);

}  // namespace moefb::trainer
