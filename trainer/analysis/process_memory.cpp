#include "trainer/analysis/process_memory.h"

#include <malloc.h>

#include <algorithm>
#include <fstream>
#include <string>

namespace moefb::trainer {
namespace {

/// A line such as "VmHWM:   123456 kB" of /proc/self/status.
std::optional<int64_t> status_bytes(const std::string& key) {
  std::ifstream file("/proc/self/status");
  for (std::string word; file >> word;) {
    int64_t kibibytes = 0;
    if (word == key + ":" && file >> kibibytes) return kibibytes * 1024;
  }
  return std::nullopt;
}

/// The high-water mark becomes what is resident now. @return false where the system does not allow it
bool reset_peak() {
  std::ofstream file("/proc/self/clear_refs");
  file << "5" << std::flush;
  return file.good();
}

}  // namespace

std::optional<int64_t> resident_bytes() {
  malloc_trim(0);
  return status_bytes("VmRSS");
}

std::optional<int64_t> peak_growth_bytes(const std::function<void()>& action) {
  const std::optional<int64_t> before = resident_bytes();
  const bool counted = reset_peak();
  action();
  const std::optional<int64_t> peak = status_bytes("VmHWM");
  if (!before || !counted || !peak) return std::nullopt;
  return std::max<int64_t>(0, *peak - *before);
}

}  // namespace moefb::trainer
