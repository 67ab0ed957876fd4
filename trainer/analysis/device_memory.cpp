#include "trainer/analysis/device_memory.h"

#include <ATen/DeviceAccelerator.h>

namespace moefb::trainer {
namespace {

c10::CachingAllocator::Stat allocated_bytes() {
  const auto device = at::accelerator::getDeviceIndex();
  return at::accelerator::getDeviceStats(device).allocated_bytes[size_t(c10::CachingAllocator::StatType::AGGREGATE)];
}

}  // namespace

int64_t device_peak_growth_bytes(const std::function<void()>& action) {
  at::accelerator::resetPeakStats(at::accelerator::getDeviceIndex());  // the peak becomes what is allocated now
  const int64_t before = allocated_bytes().current;
  action();
  return allocated_bytes().peak - before;
}

}  // namespace moefb::trainer
