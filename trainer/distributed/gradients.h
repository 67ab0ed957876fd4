// Gradients of all processes, added up.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "trainer/distributed/group.h"

namespace moefb::trainer {

/// Replaces each gradient by its sum over the processes. A parameter that has none on any process keeps none, so that
/// the optimiser skips it, as one process would; elsewhere none counts as zero.
/// @param parameters  the same on every process, in the same order and of one dtype
void sum_gradients(const std::vector<at::Tensor>& parameters, const Group& group);

}  // namespace moefb::trainer
