// Weights for oneDNN's sgemm, in panels of some output columns.
//
// Each panel is (taps, I, columns): oneDNN's kernels read it in place that way, and from the first byte to the last. As
// stored, (O, I), every call of 16 rows or more first copies all weights (512 x 64 weights, 16 rows: 55 us instead of
// 10); as one (I, O) matrix, a kernel jumps from row to row, which costs half the bandwidth where few rows meet weights
// that are in no cache (512 x 256, 8 rows: 63 us instead of 36).
#pragma once

#include <algorithm>
#include <cstdint>

#include "buffer.h"
#include "cpu/op.h"
#include "cpu/split.h"

namespace moefb::cpu {

/// Some output columns of one expert.
struct Panel {
  int64_t columns;
  const float* weights;  ///< (taps, I, columns)
  const float* bias;     ///< (columns); may be null
};

class Panels {
 public:
  Panels(int64_t in, int64_t out) noexcept : in_(in), out_(out), width_(out <= kNarrowColumns ? out : kPanelColumns) {}

  /// @param kernel  side of a convolution's kernel; 1 for a linear layer
  Status pack(const OpSpec& spec, int64_t kernel) noexcept;

  /// Columns of all panels but the last, which may be narrower.
  int64_t width() const noexcept { return width_; }
  /// @param column  its first one
  Panel at(int64_t expert, int64_t column) const noexcept {
    return {std::min(width_, out_ - column), weights_.get() + (expert * out_ + column) * in_ * taps_,
            bias_ == nullptr ? nullptr : bias_.get() + expert * out_ + column};
  }

  /// Calls fn(row, rows, column) for each panel of some rows after the other, most_rows at a time, so that their input
  /// stays in the cache while all panels pass over it.
  /// @param fn  returns a Status; the first failure ends it
  template <typename Fn>
  Status for_each(const Block& block, int64_t most_rows, const Fn& fn) const noexcept {
    for (int64_t row = block.row; row < block.row + block.rows; row += most_rows) {
      const int64_t rows = std::min(most_rows, block.row + block.rows - row);
      for (int64_t column = block.column; column < block.column + block.columns; column += width_) {
        MOEFB_TRY(fn(row, rows, column));
      }
    }
    return {};
  }

 private:
  static constexpr int64_t kPanelColumns = 48;   // what oneDNN's kernels for AVX-512 compute at a time
  static constexpr int64_t kNarrowColumns = 64;  // up to here one panel: a second call would cost more than it saves

  int64_t in_, out_, width_, taps_ = 1;
  Buffer<float> weights_;  ///< per expert its panels
  Buffer<float> bias_;     ///< per expert (O); may be null
};

}  // namespace moefb::cpu
