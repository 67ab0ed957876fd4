// Golden vectors of our own, for models that bring none: a drawn input and the reference kernels' answer.
#pragma once

#include <cstdint>

#include "converter/golden.h"
#include "moefb/model.h"

namespace moefb::convert {

/// The batch of a vector of our own: 4, and 1 for models above 1 G multiply-adds.
int golden_batch(uint64_t multiply_adds);

/// Draws N(0, 1) inputs from seeds 0, 1, ..., at most 100, until no route is on an edge, and answers with this model.
/// @pre the model was loaded with the reference kernels and at least golden_batch()
GoldenData draw_golden(const Model& model);

}  // namespace moefb::convert
