#include "trainer/data/rand_augment.h"

#include <cmath>

#include "trainer/data/adjust.h"
#include "trainer/data/tone.h"
#include "trainer/data/warp.h"

namespace moefb::trainer {
namespace {

/// True if it goes two ways: left and right, lighter and darker.
bool has_sign(Operation operation) {
  return operation >= Operation::kShearX && operation <= Operation::kSharpness;
}

}  // namespace

double amount_of(Operation operation, int magnitude, int width, int height) {
  const double share = double(magnitude) / (kMagnitudes - 1);
  switch (operation) {
    case Operation::kShearX:
    case Operation::kShearY:
      return 0.3 * share;
    // 150 pixels of the 331 in the paper's pictures; whole pixels, as torchvision moves.
    case Operation::kTranslateX:
      return std::trunc(150.0 / 331 * width * share);
    case Operation::kTranslateY:
      return std::trunc(150.0 / 331 * height * share);
    case Operation::kRotate:
      return 30 * share;
    case Operation::kBrightness:
    case Operation::kColour:
    case Operation::kContrast:
    case Operation::kSharpness:
      return 0.9 * share;
    case Operation::kPosterize:
      return 8 - std::nearbyint(4 * share);
    case Operation::kSolarize:
      return 255 - 255 * share;
    case Operation::kIdentity:
    case Operation::kAutoContrast:
    case Operation::kEqualize:
      break;
  }
  return 0;
}

DrawnOperation draw_operation(int magnitude, int width, int height, Random& random) {
  DrawnOperation drawn;
  drawn.operation = Operation(random.below(kOperations));
  drawn.amount = amount_of(drawn.operation, magnitude, width, height);
  if (random.coin() && has_sign(drawn.operation)) drawn.amount = -drawn.amount;
  return drawn;
}

void apply_operation(const DrawnOperation& drawn, int width, int height, std::vector<uint8_t>& pixels) {
  const double amount = drawn.amount;
  const auto move = [&](const Affine& source) { pixels = warp(pixels, width, height, source); };
  switch (drawn.operation) {
    case Operation::kIdentity:
      return;
    case Operation::kShearX:
      return move(shear_x(amount));
    case Operation::kShearY:
      return move(shear_y(amount));
    case Operation::kTranslateX:
      return move(translate(amount, 0));
    case Operation::kTranslateY:
      return move(translate(0, amount));
    case Operation::kRotate:
      return move(rotate(amount, width, height));
    case Operation::kBrightness:
      return adjust_brightness(pixels, 1 + amount);
    case Operation::kColour:
      return adjust_saturation(pixels, 1 + amount);
    case Operation::kContrast:
      return adjust_contrast(pixels, 1 + amount);
    case Operation::kSharpness:
      return adjust_sharpness(pixels, width, height, 1 + amount);
    case Operation::kPosterize:
      return posterize(pixels, int(amount));
    case Operation::kSolarize:
      return solarize(pixels, amount);
    case Operation::kAutoContrast:
      return autocontrast(pixels);
    case Operation::kEqualize:
      return equalize(pixels);
  }
}

}  // namespace moefb::trainer
