// f32 to bf16: the upper half of the bits, rounded to nearest, ties to even.
#pragma once

#include <bit>
#include <cstdint>

namespace moefb::convert {

/// @pre value is finite. Values above the largest bf16 become infinite, as they do in every other implementation.
constexpr uint16_t to_bf16(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const uint32_t odd = (bits >> 16) & 1;
  return static_cast<uint16_t>((bits + 0x7fff + odd) >> 16);
}

}  // namespace moefb::convert
