// `trainer analyze`: measurements on the kept weights of a run. No LibTorch header is needed to call it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "trainer/analysis/efficiency_options.h"
#include "trainer/analysis/hessian_options.h"
#include "trainer/analysis/routing_options.h"

namespace moefb::trainer {

struct AnalyzeCommand {
  std::string run;
  std::vector<std::string> analyses;  ///< of analysis_names(); empty: all
  std::string data;                   ///< the data set's folder, where it is not the run's data.path; may be empty
  int64_t pictures = 0;               ///< of each picture set; 0: what the analysis takes by itself
  uint64_t seed = 42;                 ///< of the sample and of random vectors
  std::string device = "cpu";         ///< where curvature is computed, and speed is measured too
  HessianOptions hessian;
  RoutingOptions routing;
  EfficiencyOptions efficiency;
};

const std::vector<std::string>& analysis_names();

/// Writes RUN/analysis/NAME.json for each analysis. @return the exit code, 0 or kExitInterrupted
/// @throws std::exception with a message for the user
int analyze(const AnalyzeCommand& command);

}  // namespace moefb::trainer
