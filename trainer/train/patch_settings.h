// The settings of a published patch network, which its checkpoint does not hold (spec/patch-moe.md, section 7).
#pragma once

#include <string>

#include "converter/safetensors.h"
#include "trainer/train/run_config.h"

namespace moefb::trainer {

/// The configuration of an imported run. Sizes that the file does not name come from the weights; the recipe is the
/// published one. Without `class_names` classes are called "class 0", "class 1" and so on.
/// @param path          a JSON object with the model keys of config.json (design.md, section 9), `image`, `patch_size`,
///                      `router_temp` and `capacity_factor_val` among them; keys that are no settings are passed over
/// @param weights       the checkpoint's
/// @param weights_name  its file, for messages
/// @throws std::runtime_error that names file and key: missing, of another type, out of range
RunConfig read_patch_settings(const std::string& path, const safetensors::File& weights,
                              const std::string& weights_name);

}  // namespace moefb::trainer
