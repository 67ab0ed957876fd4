// What the options of an AugmentConfig may be: for those who read a configuration and for check_augment().
#pragma once

#include <cstdint>

#include "trainer/data/augment.h"
#include "trainer/data/rand_augment.h"

namespace moefb::trainer {

inline constexpr double kLeastArea = 1e-4;  // of a picture: a fraction of a pixel
inline constexpr double kMostAspect = 100;  // far beyond any use, and no side overflows

/// Calls visit(name, value, least, most) for every option with limits that a configuration may set, by its name there;
/// an option on which another's limits depend comes first.
/// @param config  AugmentConfig or const AugmentConfig: `value` refers to its members
/// @param side    the shorter one of the model's pictures
template <class Config, class Visit>
void visit_limits(Config& config, int64_t side, const Visit& visit) {
  visit("crop_padding", config.crop_padding, 0, side - 1);  // reflection needs more pixels than it adds
  visit("crop_area_min", config.area_min, kLeastArea, 1);
  visit("crop_area_max", config.area_max, config.area_min, 1);
  visit("crop_aspect_min", config.aspect_min, 1 / kMostAspect, kMostAspect);
  visit("crop_aspect_max", config.aspect_max, config.aspect_min, kMostAspect);
  visit("grayscale", config.grayscale, 0, 1);
  visit("jitter_brightness", config.jitter.brightness, 0, 10);
  visit("jitter_contrast", config.jitter.contrast, 0, 10);
  visit("jitter_saturation", config.jitter.saturation, 0, 10);
  visit("jitter_hue", config.jitter.hue, 0, 0.5);
  visit("rand_augment_operations", config.rand_augment_operations, 0, 100);
  visit("rand_augment_magnitude", config.rand_augment_magnitude, 0, kMagnitudes - 1);
  visit("erasing", config.erasing, 0, 1);
}

}  // namespace moefb::trainer
