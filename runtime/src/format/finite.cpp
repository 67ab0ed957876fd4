#include "format/finite.h"

#include <algorithm>
#include <cstring>

namespace moefb::format {
namespace {

/// A block is judged as a whole, so that its loop has no branch and runs at the speed of memory.
constexpr int64_t kBlock = 4096;

/// @tparam kExponent  all bits of the exponent: infinities and NaNs are the numbers that have every one of them set
template <typename Bits, Bits kExponent>
bool is_special(const std::byte* data, int64_t i) noexcept {
  Bits bits;
  std::memcpy(&bits, data + i * int64_t(sizeof(Bits)), sizeof(Bits));
  return (bits & kExponent) == kExponent;
}

template <typename Bits, Bits kExponent>
int64_t first_special(const std::byte* data, int64_t count) noexcept {
  for (int64_t begin = 0; begin < count; begin += kBlock) {
    const int64_t end = std::min(begin + kBlock, count);
    int special = 0;
    for (int64_t i = begin; i < end; ++i) special |= is_special<Bits, kExponent>(data, i);
    if (special == 0) continue;
    for (int64_t i = begin; i < end; ++i) {
      if (is_special<Bits, kExponent>(data, i)) return i;
    }
  }
  return -1;
}

}  // namespace

int64_t first_not_finite(const std::byte* data, Dtype dtype, int64_t count) noexcept {
  if (dtype == Dtype::kF32) return first_special<uint32_t, 0x7F800000u>(data, count);
  if (dtype == Dtype::kBf16) return first_special<uint16_t, 0x7F80>(data, count);
  return -1;
}

}  // namespace moefb::format
