// An exponential with the same bits on every machine. C libraries differ in the last place, and some differ by CPU.
#pragma once

#include <cstdint>
#include <cstring>

#include "kernels/routing/host_device.h"

namespace moefb::kernels::routing {

/// 2^n for -126 <= n <= 127: the exponent field of a float.
MOEFB_HD inline float power_of_two(int32_t n) noexcept {
  const int32_t bits = (n + 127) * (1 << 23);
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

/// e^x for x <= 0 (softmax arguments); within 2 units in the last place, exactly 1 at 0, and 0 from -87.3 down, where
/// results would leave the normal numbers (devices may flush those to 0). 0 for what is no number.
MOEFB_HD inline float exp_nonpositive(float x) noexcept {
  constexpr float kLowest = -87.3f;
  constexpr float kLog2E = 1.44269504f;
  constexpr float kRound = 12582912.0f;          // 1.5 * 2^23: adding it rounds to an integer
  constexpr float kLn2High = 0.693359375f;       // ten bits, so that n * kLn2High is exact
  constexpr float kLn2Low = -2.12194440055e-4f;  // ln 2 - kLn2High
  const float bounded = x > kLowest ? x : kLowest;
  const float n = (bounded * kLog2E + kRound) - kRound;
  const float r = (bounded - n * kLn2High) - n * kLn2Low;  // |r| <= ln(2) / 2
  // The series of (e^r - 1 - r) / r^2: its next term is 1e-8 of the result.
  float series = 1.0f / 5040;
  series = series * r + 1.0f / 720;
  series = series * r + 1.0f / 120;
  series = series * r + 1.0f / 24;
  series = series * r + 1.0f / 6;
  series = series * r + 1.0f / 2;
  const float power = (series * (r * r) + r) + 1.0f;
  return x > kLowest ? power * power_of_two(static_cast<int32_t>(n)) : 0.0f;
}

}  // namespace moefb::kernels::routing
