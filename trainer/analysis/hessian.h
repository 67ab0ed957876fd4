// Curvature of the loss around trained weights (spec/cifar-heads.md, sections 12.2 and 12.3).
#pragma once

#include <functional>

#include "trainer/analysis/commands.h"
#include "trainer/train/trained_run.h"

namespace moefb::trainer {

/// Writes RUN/analysis/hessian.json. The network's weights are the same bits afterwards.
/// @param stop  asked often; when true, what is done so far is saved, and the next call goes on from there
/// @return whether the end was reached
bool analyze_hessian(TrainedRun& run, const AnalyzeCommand& command, const std::function<bool()>& stop);

}  // namespace moefb::trainer
