// What the options of an AugmentConfig may be.
#include <algorithm>
#include <sstream>
#include <stdexcept>
#include <string>

#include "trainer/data/augment.h"
#include "trainer/data/rand_augment.h"

namespace moefb::trainer {
namespace {

[[noreturn]] void refuse(const std::string& option, const std::string& expected, double found) {
  std::ostringstream text;
  text << "augmentation: expected " << option << ' ' << expected << ", found " << found;
  throw std::runtime_error(text.str());
}

std::string from_to(double low, double high) {
  std::ostringstream text;
  text << "from " << low << " to " << high;
  return text.str();
}

void require(const std::string& option, double found, double low, double high) {
  if (!(found >= low && found <= high)) refuse(option, from_to(low, high), found);
}

/// Positive and in order, the larger one at most `most`.
void require_range(const std::string& option, double low, double high, double most) {
  if (!(low > 0)) refuse(option + "_min", "above 0", low);
  require(option + "_max", high, low, most);
}

}  // namespace

void check_augment(const AugmentConfig& augment, int height, int width) {
  constexpr double kMostAspect = 1000;  // far beyond any use, and no side overflows
  require("crop_padding", augment.crop_padding, 0, std::min(height, width) - 1);
  require_range("area", augment.area_min, augment.area_max, 1);
  require_range("aspect", augment.aspect_min, augment.aspect_max, kMostAspect);
  require("grayscale", augment.grayscale, 0, 1);
  require("brightness", augment.jitter.brightness, 0, 10);
  require("contrast", augment.jitter.contrast, 0, 10);
  require("saturation", augment.jitter.saturation, 0, 10);
  require("hue", augment.jitter.hue, 0, 0.5);
  require("rand_augment_operations", augment.rand_augment_operations, 0, 100);
  require("rand_augment_magnitude", augment.rand_augment_magnitude, 0, kMagnitudes - 1);
  require("erasing", augment.erasing, 0, 1);
  require_range("erase_area", augment.erase_area_min, augment.erase_area_max, 1);
  require_range("erase_aspect", augment.erase_aspect_min, augment.erase_aspect_max, kMostAspect);
}

}  // namespace moefb::trainer
