#include "bench/common.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>
#include <random>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "converter/processor.h"
#include "moefb/inspect.h"

namespace moefb::bench {
namespace {

/// The only flag of our own, --threads=N; Google Benchmark has taken its flags away.
/// @throws std::runtime_error for any other argument
int parse_threads(int argc, char** argv) {
  constexpr std::string_view kFlag = "--threads=";
  int threads = 1;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    const char* end = argument.data() + argument.size();
    if (!argument.starts_with(kFlag) || std::from_chars(argument.data() + kFlag.size(), end, threads).ptr != end ||
        threads < 1) {
      throw std::runtime_error("unknown argument " + std::string(argument) +
                               ": expected --threads=N (1 or more) or a flag of Google Benchmark");
    }
  }
  return threads;
}

/// Processor, versions and threads, for the JSON's header.
void describe_machine(int threads) {
  const char* onednn = onednn_version();
  benchmark::AddCustomContext("cpu_model", processor_name());
  benchmark::AddCustomContext("instruction_set", instruction_set());
  benchmark::AddCustomContext("products", *onednn == '\0' ? "reference kernels" : onednn);
  benchmark::AddCustomContext("moefb", version());
  benchmark::AddCustomContext("threads", std::to_string(threads));
}

}  // namespace

int run_program(const char* program, int argc, char** argv, void (*run)(int threads)) {
  try {
    benchmark::Initialize(&argc, argv);
    const int threads = parse_threads(argc, argv);
    describe_machine(threads);
    run(threads);
    return 0;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s: %s\n", program, e.what());
    return 1;
  }
}

void add_benchmark(const std::string& name, benchmark::TimeUnit unit, std::function<void(benchmark::State&)> time) {
  benchmark::RegisterBenchmark(name.c_str(), std::move(time))->Unit(unit)->UseRealTime();
}

void run_benchmarks() {
  const bool any = benchmark::RunSpecifiedBenchmarks() > 0;
  benchmark::Shutdown();
  if (!any) throw std::runtime_error("no benchmark matches the filter");
}

std::span<std::byte> Arena::at_least(size_t bytes) {
  if (bytes > bytes_) {
    memory_ = {nullptr, nullptr};
    bytes_ = (bytes + 63) / 64 * 64;
    memory_ = {static_cast<std::byte*>(std::aligned_alloc(64, bytes_)), &std::free};
    if (memory_ == nullptr) throw std::bad_alloc();
  }
  return {memory_.get(), bytes_};
}

void expect_same(const std::string& what, std::span<const float> answer, std::span<const float> expected,
                 double tolerance) {
  if (answer.size() != expected.size()) throw std::runtime_error(what + ": the answers differ in size");
  float largest = 0;
  for (const float value : expected) largest = std::max(largest, std::abs(value));
  const double limit = tolerance * double(largest);
  for (size_t i = 0; i < expected.size(); ++i) {
    const double difference = std::abs(double(answer[i]) - double(expected[i]));
    if (difference <= limit) continue;
    throw std::runtime_error(what + ": element " + std::to_string(i) + " is " + std::to_string(answer[i]) +
                             ", expected " + std::to_string(expected[i]) + " within " + std::to_string(limit));
  }
}

std::vector<float> random_values(size_t count, float deviation, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, deviation);
  std::vector<float> values(count);
  for (float& v : values) v = normal(random);
  return values;
}

}  // namespace moefb::bench
