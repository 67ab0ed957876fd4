// `trainer analyze RUN routing`: what the kept weights' routers do with the test pictures.
#pragma once

#include <functional>

#include "trainer/analysis/commands.h"
#include "trainer/train/trained_run.h"

namespace moefb::trainer {

/// Writes RUN/analysis/routing.json and the sheets it names: docs/analysis.md. A network without experts has no
/// routing: a line says so.
/// @throws std::runtime_error also if that was asked for by name
/// @param stop  asked between batches
/// @return false if it was stopped: routing.json is as it was before
bool analyze_routing(TrainedRun& run, const AnalyzeCommand& command, const std::function<bool()>& stop);

}  // namespace moefb::trainer
