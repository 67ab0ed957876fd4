#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

#include "kernels/routing.h"

namespace moefb::kernels::routing {
namespace {

float from_bits(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

/// Distance in units of the last place of `actual`.
double ulps(float actual, double exact) {
  int exponent;
  std::frexp(static_cast<double>(actual), &exponent);
  return std::abs(actual - exact) / std::ldexp(1.0, exponent - 24);
}

constexpr uint32_t kMinusZero = 0x80000000u;
constexpr uint32_t kLowest = 0xc2ae999au;  // -87.3

TEST(ExpNonpositive, IsWithinTwoUlpsOverTheWholeRange) {
  double worst = 0;
  float worst_x = 0;
  for (uint32_t bits = kMinusZero; bits < kLowest; bits += 997) {
    const float x = from_bits(bits);
    const double error = ulps(exp_nonpositive(x), std::exp(static_cast<double>(x)));
    if (error <= worst) continue;
    worst = error;
    worst_x = x;
  }
  EXPECT_LE(worst, 2.0) << "at " << worst_x;
  EXPECT_GT(worst, 0.0);
}

TEST(ExpNonpositive, NeverRisesTowardsMinusInfinity) {
  float above = 1.0f;
  for (uint32_t bits = kMinusZero; bits < kLowest + 1000; bits += 331) {
    const float value = exp_nonpositive(from_bits(bits));
    ASSERT_LE(value, above) << "at " << from_bits(bits);
    above = value;
  }
}

TEST(ExpNonpositive, DropsToZeroOnceAndFromANormalNumber) {
  float above = 1.0f;
  bool fell = false;
  for (uint32_t bits = kLowest - 100000; bits < kLowest + 100000; ++bits) {
    const float value = exp_nonpositive(from_bits(bits));
    ASSERT_LE(value, above) << "at " << from_bits(bits);
    ASSERT_TRUE(value == 0.0f || std::isnormal(value)) << "at " << from_bits(bits);
    ASSERT_EQ(value == 0.0f, bits >= kLowest) << "at " << from_bits(bits);
    fell |= value == 0.0f;
    above = value;
  }
  EXPECT_TRUE(fell);
}

TEST(ExpNonpositive, IsExactAtTheEnds) {
  EXPECT_EQ(exp_nonpositive(0.0f), 1.0f);
  EXPECT_EQ(exp_nonpositive(-0.0f), 1.0f);
  EXPECT_EQ(exp_nonpositive(-std::numeric_limits<float>::denorm_min()), 1.0f);
  EXPECT_EQ(exp_nonpositive(-std::numeric_limits<float>::max()), 0.0f);
  EXPECT_EQ(exp_nonpositive(-INFINITY), 0.0f);
}

TEST(ExpNonpositive, GivesZeroForWhatIsNoNumber) {
  EXPECT_EQ(exp_nonpositive(NAN), 0.0f);
}

TEST(ExpNonpositive, HasTheseBitsOnEveryMachine) {
  const auto bits = [](float value) {
    uint32_t result;
    std::memcpy(&result, &value, sizeof result);
    return result;
  };
  EXPECT_EQ(bits(exp_nonpositive(-1.0f)), 0x3ebc5ab2u);
  EXPECT_EQ(bits(exp_nonpositive(-45.6f)), 0x1e94601cu);
  uint32_t mixed = 0;  // over the whole range, since a shorter series would be off in few places only
  for (int i = 0; i <= 8730; ++i) mixed = mixed * 31 + bits(exp_nonpositive(-0.01f * static_cast<float>(i)));
  EXPECT_EQ(mixed, 984202037u);
}

}  // namespace
}  // namespace moefb::kernels::routing
