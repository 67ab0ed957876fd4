// Activations as they end a kernel: applied in place to a run of values.
#pragma once

#include <cstdint>

#include "kernels/reference/kernels.h"
#include "kernels/routing/exp.h"

namespace moefb::kernels::reference {

/// x / (1 + e^-x), with our own exp: the C library's has other last bits on other machines.
inline float silu(float x) noexcept {
  const float e = routing::exp_nonpositive(x < 0.0f ? x : -x);
  return (x < 0.0f ? x * e : x) / (1.0f + e);
}

inline float relu(float x) noexcept {
  return x < 0.0f ? 0.0f : x;
}  // NaN stays NaN

inline void activate(Activation activation, float* values, int64_t count) noexcept {
  switch (activation) {
    case Activation::kNone:
      break;
    case Activation::kRelu:
      for (int64_t i = 0; i < count; ++i) values[i] = relu(values[i]);
      break;
    case Activation::kSilu:
      for (int64_t i = 0; i < count; ++i) values[i] = silu(values[i]);
      break;
  }
}

}  // namespace moefb::kernels::reference
