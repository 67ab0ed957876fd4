// The golden vector that the trainer left in a run folder.
#pragma once

#include <string>

#include "converter/golden.h"
#include "moefb/model.h"

namespace moefb::convert {

/// @param path  golden.safetensors: `input`, `logits`, routes named as in a trace; metadata `seed` and, where something
/// competed,
///              `top1_margin` and `capacity_margin`
/// @throws std::runtime_error that names file and tensor, if it does not fit the model
GoldenData read_trainer_golden(const std::string& path, const Model& model);

}  // namespace moefb::convert
