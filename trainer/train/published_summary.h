// summary.json, which the published training script leaves beside model.pt (spec/cifar-heads.md, section 11).
#pragma once

#include <string>

#include "converter/safetensors.h"
#include "trainer/train/run_config.h"

namespace moefb::trainer {

/// The configuration of a published run. Sizes that the summary does not hold come from the weights or are CIFAR-10's:
/// image 32, its classes and constants. The balance loss of the soft head is not stored either: the published 0.2.
/// @param summary       path of summary.json
/// @param weights       the run's
/// @param weights_name  their file, for messages
/// @throws std::runtime_error that names file and key: missing, of another type, out of range
RunConfig read_published_summary(const std::string& summary, const safetensors::File& weights,
                                 const std::string& weights_name);

}  // namespace moefb::trainer
