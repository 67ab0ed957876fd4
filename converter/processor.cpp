#include "converter/processor.h"

#include <fstream>

namespace moefb {

std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown";
}

const char* instruction_set() {
#if defined(__x86_64__)
  // By the names that GCC gives to the features.
  if (__builtin_cpu_supports("avx512bf16")) return "AVX-512 with BF16";
  if (__builtin_cpu_supports("avx512vnni")) return "AVX-512 with VNNI";
  if (__builtin_cpu_supports("avx512f")) return "AVX-512";
  if (__builtin_cpu_supports("avx2")) return "AVX2";
  return "SSE2";
#else
  return "not x86-64";
#endif
}

}  // namespace moefb
