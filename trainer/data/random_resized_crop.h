// A random part of a picture, stretched to the model's size.
//
// Source: the rule of torchvision's RandomResizedCrop (Szegedy et al. 2015, arXiv:1409.4842, section 6).
#pragma once

#include <vector>

#include "moefb/image.h"
#include "trainer/data/augment.h"
#include "trainer/data/random_box.h"

namespace moefb::trainer {

/// Ten tries at a rectangle of the area and aspect (width over height) asked for that fits; if none does, the largest
/// one in the centre whose aspect is allowed.
Box draw_crop(int height, int width, const AugmentConfig& augment, Random& random);

/// The part `box` of `image`, resized by the runtime's antialiased bicubic filter. What lies outside has no influence.
/// @return (height, width, 3)
/// @throws std::runtime_error  no memory
std::vector<uint8_t> resized_crop(const Image& image, const Box& box, int height, int width);

}  // namespace moefb::trainer
