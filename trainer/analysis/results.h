// Where an analysis leaves what it found: RUN/analysis.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "trainer/train/run_folder.h"

namespace moefb::trainer {

/// RUN/analysis, made if it is not there. @throws std::runtime_error where it cannot be
std::string analysis_folder(const RunFolder& folder);

/// Writes RUN/analysis/NAME.json atomically; numbers that are not finite become null. @return its path
std::string write_results(const RunFolder& folder, const std::string& name, const nlohmann::ordered_json& results);

}  // namespace moefb::trainer
