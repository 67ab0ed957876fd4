// The router of a MoE layer: from the gate's scores to who goes where, and what that costs (spec/patch-moe.md, sections
// 4 and 5). It has no parameters.
#pragma once

#include <ATen/core/Tensor.h>

#include "trainer/distributed/group.h"
#include "trainer/models/patch_config.h"

namespace moefb::trainer {

/// What changes in the router from epoch to epoch.
struct RoutingPhase {
  bool uniform = false;  ///< the warm-up: tokens are dealt out in turn, whatever the gates say
  double temperature = 1.0;
  double noise_level = 0;  ///< in training: uniform noise in [0, level) on the scores
};

/// How one layer routed its T tokens.
struct Routing {
  at::Tensor scaled_logits;  ///< (T, E) after temperature, clamp and noise
  at::Tensor probs;          ///< (T, E) their softmax; undefined in the uniform phase
  at::Tensor expert;         ///< (T) I64; -1: dropped
  at::Tensor slot;           ///< (T) I64 within the expert and its capacity group; -1: dropped
  at::Tensor weight;         ///< (T) combine weight; 0: dropped
  int64_t capacity = 0;      ///< slots of one expert in one capacity group
  int64_t groups = 1;        ///< capacity groups of all processes: router metrics count capacity * groups
  at::Tensor z_loss;         ///< () these three are 0 in the uniform phase
  at::Tensor balance_loss;
  at::Tensor diversity_loss;
  at::Tensor logits_std;  ///< () of all processes' scores before noise; no slope
};

/// @param gate_logits  (T, E) of one layer, centred; all images have equally many tokens
/// @param images       of these tokens
/// @param noise01      (T, E) uniform in [0, 1), used in training; undefined: no noise
/// @param group        the processes whose tokens are one batch: they compete for the same slots unless each image has
///                     its own, and losses are those of all of them. Any process may have no tokens
Routing route(const at::Tensor& gate_logits, int64_t images, const RouterOptions& options, const RoutingPhase& phase,
              bool training, const at::Tensor& noise01, const Group& group = alone());

}  // namespace moefb::trainer
