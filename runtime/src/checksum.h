// The one place where a checksum is judged.
#pragma once

#include <cstdint>

namespace moefb {

/// Whether a file's checksum is right. A fuzzer cannot guess checksums, so its build (preset `fuzz`) takes every one
/// for right: otherwise it would never get behind them.
constexpr bool checksum_matches([[maybe_unused]] uint32_t computed, [[maybe_unused]] uint32_t stored) noexcept {
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
  return true;
#else
  return computed == stored;
#endif
}

}  // namespace moefb
