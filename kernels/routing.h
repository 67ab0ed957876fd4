// The scalar and integer work of routing: softmax, top-k, capacity, counting sort. Host and device, so that CPU, CUDA
// and tests share it.
//
//   T tokens, E experts, K experts per token; scores and probabilities (T, E) f32, choices (T, K) i32, -1 for a dropped
//   token.
//
// Only explicit operations, each rounded once: probabilities saturate to exactly 1, and one unit in the last place
// would reorder tokens between backends. Compile without contraction of a*b+c (-ffp-contract=off, nvcc -fmad=false).
//
// Scores that are no numbers give probabilities that are none, rank last, and never an index out of range.
#pragma once

#include "kernels/routing/choice.h"       // which experts: top_k
#include "kernels/routing/exp.h"          // exp_nonpositive
#include "kernels/routing/pooled_gate.h"  // from pooled patches to raw scores
#include "kernels/routing/scores.h"       // from scores to probabilities: standardize, layer_norm, center, softmax
#include "kernels/routing/slots.h"  // from choices to rows of experts: capacity, rank_slots, place_dropped, sort_by_expert
#include "kernels/routing/tiles.h"  // from rows of experts to pieces of work: cut_tiles
