#include <algorithm>
#include <sstream>
#include <stdexcept>
#include <string>

#include "trainer/data/augment_limits.h"

namespace moefb::trainer {
namespace {

void require(const std::string& option, double found, double least, double most) {
  if (found >= least && found <= most) return;
  std::ostringstream text;
  text << "augmentation: expected " << option << " from " << least << " to " << most << ", found " << found;
  throw std::runtime_error(text.str());
}

}  // namespace

void check_augment(const AugmentConfig& augment, int height, int width) {
  visit_limits(augment, std::min(height, width), require);
  require("erase_area_min", augment.erase_area_min, kLeastArea, 1);
  require("erase_area_max", augment.erase_area_max, augment.erase_area_min, 1);
  require("erase_aspect_min", augment.erase_aspect_min, 1 / kMostAspect, kMostAspect);
  require("erase_aspect_max", augment.erase_aspect_max, augment.erase_aspect_min, kMostAspect);
}

}  // namespace moefb::trainer
