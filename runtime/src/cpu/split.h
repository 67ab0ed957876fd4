// How the work of one op is cut for threads. Integers only.
#pragma once

#include <algorithm>
#include <cstdint>

namespace moefb::cpu {

/// The size of equal parts (but for the last) of n units, at most `most` each, of which every thread gets as many.
constexpr int64_t even_part(int64_t n, int64_t threads, int64_t most) noexcept {
  const int64_t round = threads * most;
  const int64_t parts = threads * std::max<int64_t>(1, (n + round - 1) / round);
  return std::max<int64_t>(1, (n + parts - 1) / parts);
}

/// Rows of a tile for matrix products, whose weights are read once a tile.
constexpr int64_t products_tile_rows(int64_t rows, int threads) noexcept {
  constexpr int64_t kLeast = 16;          // fewer would read all weights for little
  constexpr int64_t kMost = 128;          // rows and hidden units stay in the L2 cache
  constexpr int64_t kTilesPerThread = 4;  // at least, so that uneven experts even out
  return std::clamp(threads == 1 ? rows : rows / (threads * kTilesPerThread), kLeast, kMost);
}

inline constexpr int64_t kPartProducts = 500'000;  // some 10 us: worth a hand-off
inline constexpr int64_t kPartRows = 16;           // fewer rows a part would read all weights for little

inline constexpr int64_t kPartElements = 16'384;  // copied, added up or compared in a few us: worth a hand-off

/// The least of equal units, each of so many elements to be copied, added up or compared, that is worth a hand-off.
constexpr int64_t least_units(int64_t elements) noexcept {
  return 1 + kPartElements / std::max<int64_t>(1, elements);
}

/// A rectangle of the output: rows, and columns of whole panels.
struct Block {
  int64_t row, rows, column, columns;
};

/// Which rectangle each of several parts computes: some rows, or, where there are few, some panels.
class Split {
 public:
  Split(int64_t rows, int64_t columns, int64_t panel, int64_t products, int threads) noexcept
      : rows_(rows), columns_(columns), panel_(panel) {
    const int64_t wanted = std::clamp<int64_t>(products / kPartProducts, 1, threads);
    by_rows_ = rows >= wanted * kPartRows;
    parts_ = by_rows_ ? wanted : std::min(wanted, panels());
  }
  int64_t parts() const noexcept { return parts_; }
  Block part(int64_t i) const noexcept {
    if (by_rows_) {
      const int64_t first = rows_ * i / parts_;
      return {first, rows_ * (i + 1) / parts_ - first, 0, columns_};
    }
    const int64_t first = panels() * i / parts_ * panel_;
    return {0, rows_, first, std::min(columns_, panels() * (i + 1) / parts_ * panel_) - first};
  }

 private:
  int64_t panels() const noexcept { return (columns_ + panel_ - 1) / panel_; }

  int64_t rows_, columns_, panel_, parts_;
  bool by_rows_;
};

/// One side of a window that slides over `in` positions.
struct Slide {
  int64_t in, out;
  int64_t kernel, stride, padding;
};

/// Some outputs of a Slide, and what they read: `in` real positions from in_begin on, between zeros.
struct Strip {
  int64_t out_begin, out;
  int64_t in_begin, in;
  int64_t zeros_before, zeros_behind;
};

constexpr Strip strip(const Slide& slide, int64_t out_begin, int64_t out) noexcept {
  const int64_t begin = out_begin * slide.stride - slide.padding;
  const int64_t end = begin + (out - 1) * slide.stride + slide.kernel;
  const int64_t in_begin = std::clamp<int64_t>(begin, 0, slide.in), in_end = std::clamp(end, in_begin, slide.in);
  return {out_begin, out, in_begin, in_end - in_begin, in_begin - begin, end - in_end};
}

}  // namespace moefb::cpu
