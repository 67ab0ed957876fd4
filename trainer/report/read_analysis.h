// Reads what `trainer analyze` leaves in RUN/analysis.
#pragma once

#include "trainer/report/run.h"

namespace moefb::report {

/// Fills hessian, routing and efficiency from the files that are there.
/// @throws std::runtime_error that names the file, the key, what was found and what was expected; also for lists whose
///         lengths do not fit together
void read_analysis(Run& run);

}  // namespace moefb::report
