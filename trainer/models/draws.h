// The randomness of a training forward pass: dropout and gate noise, drawn from the default generator or given by a
// test. Drawn on the CPU, wherever the network is: a run has the same draws on every device, and its checkpoint needs
// the state of one generator.
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>

#include "trainer/distributed/rows.h"

namespace moefb::trainer {

/// Everything random in one forward pass of a head, given instead of drawn: what is absent here is left out (no noise,
/// no dropout).
struct Draws {
  at::Tensor noise;                              ///< (B, E) standard normal
  std::map<std::string, at::Tensor> keep_masks;  ///< by module name within the head; 1 keeps, 0 drops
  at::Tensor topk_idx;                           ///< (B, k) I64: selected instead of topk's choice, also in evaluation
  at::Tensor weights;  ///< (B, E) used instead of the gate's mixture weights, also in evaluation
};

/// x with each element dropped with probability p and the others scaled by 1 / (1 - p); x itself outside training.
/// @param x      (rows, ...)
/// @param draws  may be null; else its mask `name`, broadcastable to x, decides
/// @param rows   where those of x stand among all processes': masks are drawn for all of them, see BatchRows::own()
at::Tensor dropout(const at::Tensor& x, double p, bool training, const Draws* draws, const std::string& name,
                   const BatchRows& rows);

/// (B, E) standard normal, shaped like `scores`; undefined where `draws` is given without noise.
at::Tensor gate_noise(const at::Tensor& scores, const Draws* draws, const BatchRows& rows);

}  // namespace moefb::trainer
