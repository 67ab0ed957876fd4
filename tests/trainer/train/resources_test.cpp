#include "trainer/train/resources.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

namespace moefb::trainer {
namespace {

/// Keeps a core busy until the meter has seen so much processor time.
void work(const ResourceMeter& meter, double cpu_seconds) {
  while (meter.use().cpu_seconds < cpu_seconds) {
  }
}

TEST(Resources, WaitingTakesTimeButNoProcessor) {
  const ResourceMeter meter;
  std::this_thread::sleep_for(std::chrono::milliseconds(60));
  const ResourceUse use = meter.use();
  EXPECT_GE(use.seconds, 0.06);
  EXPECT_LT(use.cpu_seconds, use.seconds);
}

TEST(Resources, RestartForgetsTimeButNotThePeak) {
  ResourceMeter meter;
  work(meter, 0.02);
  const double peak = meter.use().peak_rss_mib;
  meter.restart();
  EXPECT_LT(meter.use().cpu_seconds, 0.02);
  EXPECT_GE(meter.use().peak_rss_mib, peak);
}

TEST(Resources, PeakIncludesMemoryThatWasGivenBack) {
  const ResourceMeter meter;
  const double before = meter.use().peak_rss_mib;
  ASSERT_GT(before, 0);
  { const std::vector<char> large(size_t{256} << 20, 1); }
  EXPECT_GE(meter.use().peak_rss_mib, 256);
}

TEST(Resources, ARunsUseIsTheSumOfItsEpochsAndTheirHighestPeak) {
  const std::vector<nlohmann::ordered_json> epochs = {
      {{"seconds", 100.0}, {"cpu_seconds", 3000.0}, {"peak_rss_mib", 300.0}},
      {{"seconds", 25.4}, {"cpu_seconds", 1500.0}, {"peak_rss_mib", 200.0}},
      {{"epoch", 3}}};
  EXPECT_EQ(describe_resources(epochs),
            "3 epochs in 2 min 5 s, 1 h 15 min of processor time, at most 300 MiB of memory");
  EXPECT_EQ(describe_resources({{{"seconds", 0.25}}}),
            "1 epoch in 0.2 s, 0.0 s of processor time, at most 0 MiB of memory");
}

}  // namespace
}  // namespace moefb::trainer
