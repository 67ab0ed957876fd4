// golden.safetensors: a known input with this model's answer, so that the converted file can be checked against the
// trainer (design.md, sections 6 and 9).
#pragma once

#include <string>

#include "trainer/models/cifar_net.h"
#include "trainer/train/run_config.h"

namespace moefb::trainer {

/// Writes `input` (4, 3, H, W), `logits` and, for sparse heads, `topk_idx`; metadata `seed` and `top1_margin`. The
/// input is drawn from a seed: the first of 100 under which every chosen score leads the best other one by 2e-3, so
/// that rounding cannot change a route. Leaves the model in evaluation mode.
/// @return a line that says what was written, or that no seed would do
std::string write_golden_vector(CifarNet& model, const RunConfig& config, const std::string& path);

}  // namespace moefb::trainer
