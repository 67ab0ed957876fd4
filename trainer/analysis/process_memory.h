// How much memory this process holds, as Linux counts it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

namespace moefb::trainer {

/// Bytes of the process that lie in memory now (VmRSS of /proc/self/status), after freed memory was given back.
/// Nothing where the system does not say.
std::optional<int64_t> resident_bytes();

/// By how many bytes resident memory rises above its level before `action`, at the highest moment of it. Freed memory
/// is given back first, so that memory used again counts. Nothing where the system does not let the high-water mark be
/// set back (/proc/self/clear_refs): the action runs all the same.
std::optional<int64_t> peak_growth_bytes(const std::function<void()>& action);

}  // namespace moefb::trainer
