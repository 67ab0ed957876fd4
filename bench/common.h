// What the benchmark programs share: flags, the machine in the results' header, memory, comparison of answers.
#pragma once

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <functional>
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

/// main() of a benchmark program: takes Google Benchmark's flags and --threads=N, puts the machine into the JSON's
/// header and calls `run`, whose exceptions it prints.
/// @param run  is given the threads; adds its benchmarks and ends with run_benchmarks()
/// @return exit code
int run_program(const char* program, int argc, char** argv, void (*run)(int threads));

/// Adds a benchmark of wall-clock time, reported in `unit`.
void add_benchmark(const std::string& name, benchmark::TimeUnit unit, std::function<void(benchmark::State&)> time);

/// Runs what was added. @throws std::runtime_error if the filter leaves nothing
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
