// What the moefb runtime answers to a picture set: the check that a converted file behaves like the trained weights.
#pragma once

#include <string>
#include <vector>

#include "trainer/data/dataset.h"

namespace moefb::trainer {

/// Runs `set` through a .moefb file, normalised as the file says.
/// @return  logits, (set.size(), classes) row-major
/// @throws std::runtime_error that names the file: it fails to load or run, takes another input size, or has other
/// class names than `dataset`
std::vector<float> runtime_logits(const std::string& path, const Dataset& dataset, const PictureSet& set, int threads);

}  // namespace moefb::trainer
