// What the benchmark programs share: flags, the machine in the results' header, memory, comparison of answers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "moefb/executor.h"

namespace moefb::bench {

struct Mode {
  Dispatch dispatch;
  const char* name;
};
inline constexpr Mode kModes[] = {
    {Dispatch::kGrouped, "grouped"}, {Dispatch::kNaive, "naive"}, {Dispatch::kAll, "all"}};

/// The only flag of our own, --threads=N; Google Benchmark has taken its flags away.
/// @throws std::runtime_error for any other argument
int parse_threads(int argc, char** argv);

/// Processor, versions and threads, for the JSON's header.
void describe_machine(int threads);

/// Runs what is registered. @throws std::runtime_error if the filter leaves nothing
void run_benchmarks();

/// Memory that executors share: one runs at a time, and none finds another's colder than its own.
class Arena {
 public:
  /// What was given out before is invalid where it has to grow.
  std::span<std::byte> at_least(size_t bytes);

 private:
  std::unique_ptr<std::byte[], void (*)(void*)> memory_{nullptr, nullptr};
  size_t bytes_ = 0;
};

/// @throws std::runtime_error that names element, both values and the limit, if the answers differ by more than
/// `tolerance` of the largest one
void expect_same(const std::string& what, std::span<const float> answer, std::span<const float> expected,
                 double tolerance);

/// (count) normally distributed numbers, the same in every process.
std::vector<float> random_values(size_t count, float deviation, uint32_t seed);

}  // namespace moefb::bench
