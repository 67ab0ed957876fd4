// Picture mode: every picture is answered by itself.
#pragma once

#include "apps/moe-infer/flags.h"

namespace moefb::infer {

/// Prints an answer per picture. A picture that cannot be answered is reported on stderr, and the next one follows.
/// @return whether all pictures were answered
/// @throws std::runtime_error if the model cannot be used for pictures
bool classify_pictures(const Flags& flags);

}  // namespace moefb::infer
