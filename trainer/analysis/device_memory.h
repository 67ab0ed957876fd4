// What a computation on a GPU needs in memory.
#pragma once

#include <cstdint>
#include <functional>

namespace moefb::trainer {

/// By how much `action` raises what LibTorch has allocated on the current GPU at its highest.
int64_t device_peak_growth_bytes(const std::function<void()>& action);

}  // namespace moefb::trainer
