#include "trainer/train/resources.h"

#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

#include "trainer/train/counted.h"
#include "trainer/train/device_memory.h"

namespace moefb::trainer {
namespace {

double seconds_of(const timeval& time) {
  return double(time.tv_sec) + 1e-6 * double(time.tv_usec);
}

double cpu_seconds() {
  rusage use{};
  getrusage(RUSAGE_SELF, &use);
  return seconds_of(use.ru_utime) + seconds_of(use.ru_stime);
}

/// From the process's own address space: ru_maxrss would begin at the size of the program that started this one.
double peak_rss_mib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    double kib = 0;
    if (std::sscanf(line.c_str(), "VmHWM: %lf kB", &kib) == 1) return kib / 1024;
  }
  return 0;
}

std::string duration(double seconds) {
  char text[48];
  const long whole = std::lround(seconds);
  if (seconds < 100) {
    std::snprintf(text, sizeof(text), "%.1f s", seconds);
  } else if (whole < 3600) {
    std::snprintf(text, sizeof(text), "%ld min %ld s", whole / 60, whole % 60);
  } else {
    std::snprintf(text, sizeof(text), "%ld h %ld min", whole / 3600, whole / 60 % 60);
  }
  return text;
}

}  // namespace

void ResourceMeter::restart() {
  started_ = Clock::now();
  cpu_started_ = cpu_seconds();
  restart_device_peak(device_);
}

ResourceUse ResourceMeter::use() const {
  return {std::chrono::duration<double>(Clock::now() - started_).count(), cpu_seconds() - cpu_started_, peak_rss_mib(),
          device_peak_mib(device_)};
}

std::string describe_resources(const std::vector<nlohmann::ordered_json>& epochs) {
  ResourceUse total;
  for (const auto& epoch : epochs) {
    total.seconds += epoch.value("seconds", 0.0);
    total.cpu_seconds += epoch.value("cpu_seconds", 0.0);
    total.peak_rss_mib = std::max(total.peak_rss_mib, epoch.value("peak_rss_mib", 0.0));
    total.peak_device_mib = std::max(total.peak_device_mib, epoch.value("peak_device_mib", 0.0));
  }
  char text[160];
  std::snprintf(text, sizeof(text), "%s in %s, %s of processor time, at most %.0f MiB of memory",
                counted(int64_t(epochs.size()), "epoch").c_str(), duration(total.seconds).c_str(),
                duration(total.cpu_seconds).c_str(), total.peak_rss_mib);
  std::string all = text;
  if (total.peak_device_mib > 0)
    all += " and " + std::to_string(std::lround(total.peak_device_mib)) + " MiB of the GPU's";
  return all;
}

}  // namespace moefb::trainer
