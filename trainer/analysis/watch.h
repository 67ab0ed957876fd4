// How a long computation is shown and stopped.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace moefb::trainer {

/// Told now and then how far something is. @return whether to stop
using Watch = std::function<bool(int64_t done, int64_t total)>;

/// Shows it under a label, as StageProgress does, and asks `stop`.
/// @param unit  what is counted: "picture"
Watch shown_watch(const std::string& label, const std::string& unit, const std::function<bool()>& stop);

}  // namespace moefb::trainer
