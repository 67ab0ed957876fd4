// Tensor mode: one batch out of a .safetensors file, its logits into another.
#pragma once

#include "apps/moe-infer/flags.h"

namespace moefb::infer {

/// Reads tensor `input` of flags.input and writes `logits` (n, classes), with --trace also every traced tensor, to
/// flags.output, which appears whole or not at all.
/// @throws std::runtime_error that names the file and what was found: no such tensor, another dtype than F32, a shape
///         that the model does not take, no images, an element that is not finite
void classify_tensor(const Flags& flags);

}  // namespace moefb::infer
