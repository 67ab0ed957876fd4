// Runs the golden vectors that a model carries.
#pragma once

#include "apps/moe-infer/flags.h"

namespace moefb::infer {

/// Prints a line per vector: error, limit, routes, origin. The vectors say themselves under which capacity group they
/// were made, and any dispatch must meet them: those flags are ignored.
/// @return whether there are vectors and all passed
bool run_selftest(const Flags& flags);

}  // namespace moefb::infer
