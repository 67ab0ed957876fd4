// One picture of a set, whether it lies in memory or in a file of its own.
#pragma once

#include <cstdint>
#include <vector>

#include "moefb/image.h"
#include "trainer/data/dataset.h"

namespace moefb::trainer {

/// The rule as the runtime's resize_and_crop() takes it, for pictures of (height, width).
Preprocessing resize_rule(const PictureRule& rule, int height, int width);

/// The picture at its own size: as large as its file is, or the set's size where that is in memory.
/// @throws std::runtime_error that names a file which cannot be decoded, and why
Image own_picture(const PictureSet& set, int64_t index);

/// The picture at the model's size, without augmentation: (set.height, set.width, 3).
/// @param dataset  gives the picture rule of a streamed set
/// @throws std::runtime_error that names a file which cannot be decoded, and why
std::vector<uint8_t> prepared_picture(const Dataset& dataset, const PictureSet& set, int64_t index);

}  // namespace moefb::trainer
