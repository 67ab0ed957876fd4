// Mean and deviation of the colours that a model is trained on.
#pragma once

#include "trainer/data/dataset.h"

namespace moefb::trainer {

/// Sets dataset.mean and dataset.stddev to those of the training pictures at the model's size, each channel's, of
/// values in 0..1. Sums of whole numbers: the same on every machine and for any number of threads. A streamed set is
/// decoded once, on all cores.
/// @throws std::runtime_error that names a streamed file which cannot be decoded, and why
void measure_colours(Dataset& dataset, const LoadProgress& progress);

}  // namespace moefb::trainer
