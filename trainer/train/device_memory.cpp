#include "trainer/train/device_memory.h"

#include <ATen/DeviceAccelerator.h>

namespace moefb::trainer {
namespace {

c10::CachingAllocator::Stat allocated_bytes(at::DeviceIndex device) {
  return at::accelerator::getDeviceStats(device).allocated_bytes[size_t(c10::CachingAllocator::StatType::AGGREGATE)];
}

}  // namespace

void restart_device_peak(const at::Device& device) {
  if (device.is_cuda()) at::accelerator::resetPeakStats(device.index());
}

double device_peak_mib(const at::Device& device) {
  return device.is_cuda() ? double(allocated_bytes(device.index()).peak) / (1 << 20) : 0;
}

int64_t device_peak_growth_bytes(const std::function<void()>& action) {
  const at::DeviceIndex device = at::accelerator::getDeviceIndex();
  at::accelerator::resetPeakStats(device);  // the peak becomes what is allocated now
  const int64_t before = allocated_bytes(device).current;
  action();
  return allocated_bytes(device).peak - before;
}

}  // namespace moefb::trainer
