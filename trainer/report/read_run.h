// Reads run folders (trainer/README.md).
#pragma once

#include <string>

#include "trainer/report/run.h"

namespace moefb::report {

/// @throws std::runtime_error that names the file, for metrics.jsonl the line too, and what was expected: no run
///         folder, not JSON, values of another type, epochs out of order. metrics.jsonl and analysis/ may be missing.
Run read_run(const std::string& path);

}  // namespace moefb::report
