// What the processor calls itself, for results that depend on it.
#pragma once

#include <string>

namespace moefb {

/// The line "model name" of /proc/cpuinfo; "unknown" where there is none.
std::string processor_name();

/// The most of what kernels have to choose from, such as "AVX2" or "AVX-512 with BF16".
const char* instruction_set();

}  // namespace moefb
