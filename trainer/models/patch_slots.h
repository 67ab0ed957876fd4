// Who gets a place: tokens to slots of experts, integers only (spec/patch-moe.md, section 4, steps 5 and 6).
#pragma once

#include <ATen/core/Tensor.h>

#include "trainer/models/patch_config.h"

namespace moefb::trainer {

/// The slots there are. Tokens are divided into `groups` runs of equal length, each with slots of its own.
struct SlotLimits {
  int64_t experts = 1;
  int64_t groups = 1;
  int64_t capacity = 1;  ///< slots of one expert in one group
};

/// Capacity of `tokens` tokens of `images` images: max(1, ceil(factor * N / E)) with N of a group, in float64.
SlotLimits slot_limits(const RouterOptions& options, bool training, int64_t tokens, int64_t images, int64_t experts);

/// Where each token went. Both (T) I64; -1 where the token was dropped.
struct Assignment {
  at::Tensor expert;
  at::Tensor slot;
};

/// Each token to its most probable expert; the most confident first, among equals the lower token first.
/// @param probs  (T, E) f32; ties between experts go to the lower index
Assignment assign_by_confidence(const at::Tensor& probs, const SlotLimits& limits, DropPolicy policy);

/// Token n of a group to expert n mod E, slot n div E.
/// @param like  gives the device
Assignment assign_uniformly(int64_t tokens, const SlotLimits& limits, const at::Tensor& like);

}  // namespace moefb::trainer
