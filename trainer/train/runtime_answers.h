// What the moefb runtime answers to a picture set: the check that a converted file behaves like the trained weights.
#pragma once

#include <string>
#include <vector>

#include "trainer/data/dataset.h"

namespace moefb::trainer {

struct RuntimeAnswers {
  std::vector<float> logits;  ///< (set.size(), classes) row-major
  bool bf16_weights = false;  ///< as stored in the file
};

struct RuntimeSettings {
  int threads = 1;
  int batch = 32;  ///< pictures a run: they share capacity where the model's capacity group is `batch`
};

/// Runs `set` through a .moefb file, normalised as the file says.
/// @throws std::runtime_error that names the file: it fails to load or run, takes another input size, or has other
/// class names than `dataset`
RuntimeAnswers runtime_answers(const std::string& path, const Dataset& dataset, const PictureSet& set,
                               const RuntimeSettings& settings);

}  // namespace moefb::trainer
