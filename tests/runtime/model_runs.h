// Models made of synthetic weights in memory, and what a test asks of their runs.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "converter/build_helpers.h"
#include "converter/moefb_file.h"
#include "moefb/executor.h"

namespace moefb::testing {

/// A converted model with the bytes that it lives in.
struct LoadedModel {
  LoadedModel(const convert::Config& config, const SyntheticWeights& weights, Kernels kernels, int max_batch)
      : bytes(file_of(config, weights)), model(convert::load(bytes, kernels, max_batch)) {}

  static std::vector<std::byte> file_of(const convert::Config& config, const SyntheticWeights& weights) {
    convert::BuiltModel built = convert::build(config, weights);
    return convert::to_file(built);
  }

  std::vector<std::byte> bytes;
  Model model;
};

inline std::vector<float> random_input(int64_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(static_cast<size_t>(count));
  for (float& v : values) v = normal(random);
  return values;
}

inline std::vector<float> run(Executor& executor, std::span<const float> input, int64_t logits) {
  std::vector<float> out(static_cast<size_t>(logits));
  const Status status = executor.run(input, out);
  EXPECT_TRUE(status.ok()) << status.text();
  return out;
}

/// A traced tensor of the last run.
template <typename T>
std::vector<T> traced(const Executor& executor, const std::string& name) {
  for (int i = 0; i < executor.trace_count(); ++i) {
    const TraceInfo info = executor.trace_info(i);
    if (name != info.name) continue;
    std::vector<T> values(static_cast<size_t>(info.shape.elements()));
    EXPECT_TRUE(executor.read_trace(i, std::as_writable_bytes(std::span(values))).ok()) << name;
    return values;
  }
  ADD_FAILURE() << name << " is not in the trace";
  return {};
}

/// Elements within `relative` times the largest of `want`; shows the worst.
template <typename T>
void expect_close(const std::vector<float>& got, const std::vector<T>& want, double relative, const std::string& what) {
  ASSERT_EQ(got.size(), want.size()) << what;
  double largest = 0, error = 0;
  size_t worst = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    largest = std::max(largest, std::fabs(double(want[i])));
    const double d = std::fabs(double(got[i]) - double(want[i]));
    if (!(d <= error)) error = d, worst = i;
  }
  EXPECT_LE(error, relative * largest) << what << ": element " << worst << " is " << got[worst] << ", expected "
                                       << want[worst];
}

}  // namespace moefb::testing
