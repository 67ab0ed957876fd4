#include "trainer/analysis/machine.h"

#include <sched.h>
#include <torch/version.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "converter/processor.h"
#include "moefb/inspect.h"

namespace moefb::trainer {

int usable_cores() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) == 0) return CPU_COUNT(&set);
  return int(std::max(1u, std::thread::hardware_concurrency()));
}

nlohmann::ordered_json gpu_model() {
  constexpr std::string_view kKey = "Model:";
  std::error_code none;
  for (const auto& gpu : std::filesystem::directory_iterator("/proc/driver/nvidia/gpus", none)) {
    std::ifstream file(gpu.path() / "information");
    for (std::string line; std::getline(file, line);) {
      const size_t begin = line.find_first_not_of(" \t", kKey.size());
      if (line.starts_with(kKey) && begin != std::string::npos) return line.substr(begin);
    }
  }
  return nullptr;
}

nlohmann::ordered_json describe_machine() {
  return {{"cpu", processor_name()}, {"cores", usable_cores()},   {"instruction_set", instruction_set()},
          {"gpu", nullptr},          {"libtorch", TORCH_VERSION}, {"onednn", onednn_version()},
          {"moefb", version()}};
}

}  // namespace moefb::trainer
