// Types and shapes of the arrays that cross the library's border.
#pragma once

#include <cstddef>
#include <cstdint>

namespace moefb {

enum class Dtype : uint8_t { kF32, kBf16, kI32, kU8, kI64 };

constexpr size_t dtype_bytes(Dtype dtype) noexcept {
  switch (dtype) {
    case Dtype::kF32:
    case Dtype::kI32:
      return 4;
    case Dtype::kBf16:
      return 2;
    case Dtype::kU8:
      return 1;
    case Dtype::kI64:
      return 8;
  }
  return 0;
}

/// Up to four extents, outermost first. Rank 0 is a scalar.
struct Shape {
  static constexpr int kMaxRank = 4;
  int rank = 0;
  int64_t dims[kMaxRank] = {0, 0, 0, 0};

  constexpr int64_t operator[](int i) const noexcept { return dims[i]; }
  /// Product of the extents; 1 for a scalar. The reader has bounded every extent, so it cannot overflow.
  constexpr int64_t elements() const noexcept {
    int64_t n = 1;
    for (int i = 0; i < rank; ++i) n *= dims[i];
    return n;
  }
  friend constexpr bool operator==(const Shape& a, const Shape& b) noexcept {
    if (a.rank != b.rank) return false;
    for (int i = 0; i < a.rank; ++i) {
      if (a.dims[i] != b.dims[i]) return false;
    }
    return true;
  }
};

/// Which tokens share the slots of one expert (patch networks).
enum class CapacityGroup : uint8_t {
  kBatch,  ///< the whole batch, as published: an image's answer depends on its batch mates
  kImage,  ///< each image by itself
  kNone,   ///< no limit, nothing is dropped
};

}  // namespace moefb
