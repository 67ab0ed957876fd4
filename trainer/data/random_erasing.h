// A rectangle of a picture replaced by noise.
//
// Source: Zhong et al. 2017 (arXiv:1708.04896), by torchvision's rule.
#pragma once

#include <optional>
#include <span>

#include "trainer/data/augment.h"
#include "trainer/data/random_box.h"

namespace moefb::trainer {

/// With probability `erasing`, ten tries at a rectangle of the area and aspect (height over width) asked for that is
/// smaller than the picture in both directions; nothing if none is.
std::optional<Box> draw_erasing(int height, int width, const AugmentConfig& augment, Random& random);

/// @param planes  (3, height, width), normalised; the box becomes values from N(0, 1), independent of each other
void erase(const Box& box, int height, int width, Random& random, std::span<float> planes);

}  // namespace moefb::trainer
