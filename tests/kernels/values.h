// Random tensors for kernel tests, and comparisons that name the worst element.
#pragma once

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

namespace moefb::test {

inline constexpr double kUnitRoundoff = 0x1p-24;  // of f32: the largest relative error of one rounding

/// `count` values in [low, high), the same on every machine.
inline std::vector<float> random_values(int64_t count, uint32_t seed, float low = -1.0f, float high = 1.0f) {
  std::mt19937 draw(seed);
  std::vector<float> values(count);
  for (float& value : values) value = low + (high - low) * static_cast<float>(draw() >> 8) * 0x1p-24f;
  return values;
}

/// An exact answer and how far f32 arithmetic may be from it.
struct Expected {
  double value;
  double tolerance;
};

inline void expect_close(std::span<const float> actual, std::span<const Expected> expected) {
  ASSERT_EQ(actual.size(), expected.size());
  size_t worst = 0;
  double worst_ratio = -1;
  for (size_t i = 0; i < actual.size(); ++i) {
    const double ratio = std::abs(actual[i] - expected[i].value) / expected[i].tolerance;
    if (ratio <= worst_ratio) continue;  // false for what is no number: it is the worst of all
    worst = i;
    worst_ratio = ratio;
    if (std::isnan(ratio)) break;
  }
  if (actual.empty()) return;
  EXPECT_LE(worst_ratio, 1.0) << "worst element " << worst << ": " << actual[worst] << ", expected "
                              << expected[worst].value << " within " << expected[worst].tolerance;
}

inline void expect_same_bits(std::span<const float> actual, std::span<const float> expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t i = 0; i < actual.size(); ++i) {
    ASSERT_EQ(std::bit_cast<uint32_t>(actual[i]), std::bit_cast<uint32_t>(expected[i]))
        << "element " << i << ": " << actual[i] << ", expected " << expected[i];
  }
}

inline double silu_exact(double x) {
  return x / (1.0 + std::exp(-x));
}

}  // namespace moefb::test
