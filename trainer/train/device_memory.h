// What a computation on a GPU needs in memory.
#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <functional>

namespace moefb::trainer {

/// From now on device_peak_mib() counts. On the CPU neither does anything.
void restart_device_peak(const at::Device& device);
/// The most that LibTorch had allocated on a GPU at once.
double device_peak_mib(const at::Device& device);

/// By how much `action` raises what LibTorch has allocated on the current GPU at its highest.
int64_t device_peak_growth_bytes(const std::function<void()>& action);

}  // namespace moefb::trainer
