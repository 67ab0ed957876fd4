// golden.safetensors: a known input with this model's answer, so that the converted file can be checked against the
// trainer (design.md, sections 6 and 9).
#pragma once

#include <string>

#include "trainer/models/network.h"
#include "trainer/train/run_config.h"

namespace moefb::trainer {

/// Writes `input` (B, 3, H, W), `logits` and the routes: `topk_idx` of a sparse head, `layer{i}.assigned_expert` of a
/// patch network; metadata `seed`, `top1_margin` and `capacity_margin`. B is 4, or 1 where pictures are large. The
/// input is drawn from a seed: the first of 100 whose margins hold, so that rounding cannot change a route. Leaves the
/// network in evaluation mode.
/// @return a line that says what was written, or that no seed would do
std::string write_golden_vector(Network& network, const RunConfig& config, const std::string& path);

}  // namespace moefb::trainer
