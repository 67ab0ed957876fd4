#include "trainer/data/colour.h"

#include <cmath>

namespace moefb::trainer {
namespace {

// Shares of the channels in brightness, as in BT.601.
constexpr Colour kShare{0.299f, 0.587f, 0.114f};

}  // namespace

Colour mix(Colour a, Colour b, float share) {
  return {a.red + (b.red - a.red) * share, a.green + (b.green - a.green) * share, a.blue + (b.blue - a.blue) * share};
}

float brightness(Colour colour) {
  return kShare.red * colour.red + kShare.green * colour.green + kShare.blue * colour.blue;
}

float contrast(Colour a, Colour b) {
  const Colour gap{a.red - b.red, a.green - b.green, a.blue - b.blue};
  return std::sqrt(brightness({gap.red * gap.red, gap.green * gap.green, gap.blue * gap.blue}));
}

}  // namespace moefb::trainer
