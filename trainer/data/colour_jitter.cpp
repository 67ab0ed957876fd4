#include "trainer/data/colour_jitter.h"

#include <algorithm>
#include <utility>

#include "trainer/data/adjust.h"

namespace moefb::trainer {
namespace {

double draw_factor(double strength, Random& random) {
  return random.between(std::max(0.0, 1 - strength), 1 + strength);
}

void apply(Adjustment adjustment, double amount, std::span<uint8_t> pixels) {
  switch (adjustment) {
    case Adjustment::kBrightness:
      return adjust_brightness(pixels, amount);
    case Adjustment::kContrast:
      return adjust_contrast(pixels, amount);
    case Adjustment::kSaturation:
      return adjust_saturation(pixels, amount);
    case Adjustment::kHue:
      return adjust_hue(pixels, amount);
  }
}

}  // namespace

DrawnJitter draw_jitter(const ColourJitter& jitter, Random& random) {
  DrawnJitter drawn{{Adjustment::kBrightness, Adjustment::kContrast, Adjustment::kSaturation, Adjustment::kHue}, {}};
  for (size_t i = drawn.order.size(); i > 1; --i) std::swap(drawn.order[i - 1], drawn.order[random.below(uint32_t(i))]);
  drawn.amounts[0] = draw_factor(jitter.brightness, random);
  drawn.amounts[1] = draw_factor(jitter.contrast, random);
  drawn.amounts[2] = draw_factor(jitter.saturation, random);
  drawn.amounts[3] = random.between(-jitter.hue, jitter.hue);
  return drawn;
}

void apply_jitter(const DrawnJitter& drawn, std::span<uint8_t> pixels) {
  for (const Adjustment adjustment : drawn.order) {
    const double amount = drawn.amounts[size_t(adjustment)];
    const double nothing = adjustment == Adjustment::kHue ? 0 : 1;
    if (amount != nothing) apply(adjustment, amount, pixels);
  }
}

}  // namespace moefb::trainer
