// `trainer analyze RUN efficiency`: how long the kept weights take, under LibTorch and under our runtime.
#pragma once

#include <functional>

#include "trainer/analysis/commands.h"
#include "trainer/train/trained_run.h"

namespace moefb::trainer {

/// Writes RUN/analysis/efficiency.json: docs/analysis.md. LibTorch's number of threads is the run's again afterwards.
/// @throws std::runtime_error also where two ways of answering do not agree: nothing is timed then
/// @param stop  asked between batches
/// @return false if it was stopped: efficiency.json is as it was before
bool analyze_efficiency(TrainedRun& run, const AnalyzeCommand& command, const std::function<bool()>& stop);

}  // namespace moefb::trainer
