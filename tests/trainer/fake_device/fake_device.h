// A device for tests, where there is no GPU: LibTorch's PrivateUse1, whose every operator is the CPU's, to the bit, but
// which is as strict as CUDA is.
//
// What CUDA refuses is an error here too: tensors of both places in one operator, unless one of the CPU has no
// dimensions or is an index. What would crash there crashes here: the host reading a device address. And so is what our
// trainer promises: random numbers are drawn on the CPU, and what goes to the device without being waited for is
// pinned.
#pragma once

#include <c10/core/Device.h>

namespace moefb::trainer::fake {

c10::Device device();

/// Operators that have run there, to show that a test did not pass it by.
int64_t operators_run();

}  // namespace moefb::trainer::fake
