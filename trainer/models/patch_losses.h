// Auxiliary losses of the patch router, of one layer each (spec/patch-moe.md, section 4). All return a scalar that can
// be differentiated, of the tokens of all processes; T are those of this one.
#pragma once

#include <ATen/core/Tensor.h>

#include "trainer/distributed/rows.h"

namespace moefb::trainer {

/// Mean square of the scores' log-sum-exp. @param scores  (T, E) scaled, without noise
at::Tensor router_z_loss(const at::Tensor& scores, const BatchRows& tokens);

/// E * sum over experts of (share of all tokens that it kept) * (its mean probability); the share has no slope.
/// @param probs   (T, E)
/// @param expert  (T) I64, -1 for a dropped token
at::Tensor patch_balance_loss(const at::Tensor& probs, const at::Tensor& expert, const BatchRows& tokens);

/// Mean squared difference from the identity of the cosines between the experts' columns; 0 for one expert.
/// @param probs  (T, E)
at::Tensor diversity_loss(const at::Tensor& probs, const Group& group);

}  // namespace moefb::trainer
