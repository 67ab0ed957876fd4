// The memory of the fake device: bytes that the host may not touch where its tensors say they are.
#pragma once

#include <c10/core/Allocator.h>

namespace moefb::trainer::fake {

inline const c10::Device kDevice{c10::DeviceType::PrivateUse1, 0};

/// Addresses from here are no host memory: reading one is a segmentation fault, as with a GPU's.
c10::Allocator& device_memory();

/// Host memory that counts as pinned, as copies that run beside the host need it.
c10::Allocator& pinned_memory();
bool is_pinned(const void* address);

/// Where the bytes of a device address really are.
void* host_side(const void* device_address);
/// Whether host memory is that of the device.
bool is_host_side(const void* address);

}  // namespace moefb::trainer::fake
