// Lifetimes to arena offsets.
#pragma once

#include <cstdint>
#include <vector>

namespace moefb::plan {

inline constexpr int64_t kAlignment = 64;

constexpr int64_t align_up(int64_t bytes) noexcept {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

/// A piece of memory that is needed from step `first` to step `last`, both included.
struct Buffer {
  int64_t bytes = 0;
  int first = 0;
  int last = 0;
  int64_t offset = 0;  ///< out, a multiple of kAlignment
};

/// Gives every buffer an offset such that buffers alive at the same step do not overlap: largest first, each at the
/// lowest gap that fits (Pisarchyk and Lee 2020, arXiv:2001.03288, "greedy by size").
/// @return bytes of the whole arena, a multiple of kAlignment
int64_t place(std::vector<Buffer>& buffers) noexcept;

}  // namespace moefb::plan
