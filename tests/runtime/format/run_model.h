// Runs models of hostile bytes that were accepted: no answer is looked at, but every step of every mode is taken.
#pragma once

#include "moefb/model.h"

namespace moefb::testing {

/// Asks everything that moe-info shows.
void look_at(const Model& model);

/// Runs a batch of max_batch in every dispatch mode, traced, and each golden vector; unless the model would need more
/// work or memory than a test has: a valid file may ask for that, and Model and requirements() tell.
/// @return whether it ran
bool run_if_small(const Model& model);

}  // namespace moefb::testing
