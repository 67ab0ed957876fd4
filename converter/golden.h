// Golden vectors: a known input with its answer, from the trainer or from the reference kernels (design.md, section 6).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "converter/build_model.h"
#include "converter/state_dict.h"
#include "moefb/executor.h"
#include "moefb/model.h"

namespace moefb::convert {

struct GoldenData {
  int batch = 0;
  std::vector<float> input;     ///< (batch, input shape)
  std::vector<float> logits;    ///< (batch, classes)
  std::vector<int32_t> routes;  ///< as in moefb/model.h; empty in a model that chooses nothing
  uint64_t seed = 0;
  float top1_margin = 0;      ///< 0: nothing competed
  float capacity_margin = 0;  ///< 0: nothing was dropped
  bool from_trainer = false;
  bool margins_hold = true;  ///< false: no seed would do, and this was the best
};

/// (batch, extents of `shape`)
Extents with_batch(int64_t batch, const Shape& shape);

/// An executor for one vector: several threads, routing traced.
/// @param replay_routes  to take instead of the routers' choices; empty: none. Must outlive the Executor
Executor make_executor(const Model& model, std::span<const int32_t> replay_routes = {});

/// Largest |logit - stored| when the model takes the stored routes.
double error_given_routes(const Model& model, const GoldenData& golden);

/// Puts the vector into a segment of its own.
void attach_golden(const GoldenData& golden, const Model& model, BuiltModel& built);

}  // namespace moefb::convert
