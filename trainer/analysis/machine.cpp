#include "trainer/analysis/machine.h"

#include <sched.h>
#include <torch/version.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "moefb/inspect.h"

namespace moefb::trainer {
namespace {

/// The line "model name" of /proc/cpuinfo.
std::string cpu_model() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown";
}

/// What kernels have to choose from.
const char* instruction_set() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512bf16")) return "AVX-512 with BF16";
  if (__builtin_cpu_supports("avx512vnni")) return "AVX-512 with VNNI";
  if (__builtin_cpu_supports("avx512f")) return "AVX-512";
  if (__builtin_cpu_supports("avx2")) return "AVX2";
  return "SSE2";
#else
  return "not x86-64";
#endif
}

}  // namespace

int usable_cores() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) == 0) return CPU_COUNT(&set);
  return int(std::max(1u, std::thread::hardware_concurrency()));
}

nlohmann::ordered_json describe_machine() {
  return {{"cpu", cpu_model()}, {"cores", usable_cores()},   {"instruction_set", instruction_set()},
          {"gpu", nullptr},     {"libtorch", TORCH_VERSION}, {"onednn", onednn_version()},
          {"moefb", version()}};
}

}  // namespace moefb::trainer
