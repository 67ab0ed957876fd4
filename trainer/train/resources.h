// What a run takes of the machine: time, processor time, memory.
#pragma once

#include <c10/core/Device.h>

#include <chrono>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace moefb::trainer {

struct ResourceUse {
  double seconds = 0;          ///< by the clock on the wall
  double cpu_seconds = 0;      ///< of all threads, in user and in system
  double peak_rss_mib = 0;     ///< most memory resident at once, since the program started
  double peak_device_mib = 0;  ///< most that LibTorch had allocated there at once; 0 on the CPU
};

/// Counts for this process alone: after `resume`, what the epoch took before is not in it.
class ResourceMeter {
 public:
  /// @param device  where the network computes
  explicit ResourceMeter(const at::Device& device = at::kCPU) : device_(device) { restart(); }
  void restart();
  /// Since construction or restart().
  ResourceUse use() const;

 private:
  using Clock = std::chrono::steady_clock;

  at::Device device_;
  Clock::time_point started_;
  double cpu_started_ = 0;
};

/// Of a whole run, for a person. @param epochs  lines of metrics.jsonl; those that older programs wrote say less
std::string describe_resources(const std::vector<nlohmann::ordered_json>& epochs);

}  // namespace moefb::trainer
