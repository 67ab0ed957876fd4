#include "format/finite.h"

#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <vector>

namespace moefb::format {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

int64_t first_f32(const std::vector<float>& numbers) {
  return first_not_finite(reinterpret_cast<const std::byte*>(numbers.data()), Dtype::kF32, int64_t(numbers.size()));
}

int64_t first_bf16(const std::vector<uint16_t>& bits) {
  return first_not_finite(reinterpret_cast<const std::byte*>(bits.data()), Dtype::kBf16, int64_t(bits.size()));
}

TEST(FirstNotFinite, TakesTheLargestAndSmallestNumbers) {
  EXPECT_EQ(first_f32({}), -1);
  EXPECT_EQ(first_f32({0.0f, -0.0f, 3.4028235e38f, -3.4028235e38f, 1e-45f}), -1);
  EXPECT_EQ(first_bf16({0, 0x8000, 0x7F7F, 0xFF7F, 1}), -1);
}

TEST(FirstNotFinite, FindsInfinitiesAndNans) {
  EXPECT_EQ(first_f32({1.0f, kInfinity}), 1);
  EXPECT_EQ(first_f32({-kInfinity}), 0);
  EXPECT_EQ(first_f32({1.0f, 2.0f, kNan, kNan}), 2);
  EXPECT_EQ(first_bf16({0x3F80, 0x7F80}), 1);
  EXPECT_EQ(first_bf16({0xFF80}), 0);
  EXPECT_EQ(first_bf16({0x7FC0}), 0);
}

TEST(FirstNotFinite, LooksAtEveryBlock) {
  for (size_t place : {size_t{0}, size_t{4095}, size_t{4096}, size_t{8191}, size_t{8192}, size_t{9999}}) {
    std::vector<float> numbers(10000, 1.0f);
    numbers[place] = kNan;
    EXPECT_EQ(first_f32(numbers), int64_t(place));
  }
}

TEST(FirstNotFinite, TakesEveryInteger) {
  const int32_t bits = 0x7F800000;
  EXPECT_EQ(first_not_finite(reinterpret_cast<const std::byte*>(&bits), Dtype::kI32, 1), -1);
}

}  // namespace
}  // namespace moefb::format
