// The arithmetic of resizing along one axis: which source pixels make an output pixel, with what weights.
#pragma once

#include <cstdint>
#include <memory>

#include "moefb/image.h"

namespace moefb::image {

/// Output positions `first` to `first + count - 1` of an axis that is resized from `from` to `to` pixels.
struct Window {
  int64_t from = 0;
  int64_t to = 0;
  int64_t first = 0;
  int64_t count = 0;
};

/// Source pixels `first` to `first + count - 1` that make one output pixel.
struct Taps {
  int64_t first = 0;
  int64_t count = 0;
  const float* weights = nullptr;  ///< sum to 1
};

/// The weights of every output position in a window.
class Weights {
 public:
  /// @return kOutOfMemory
  Status compute(const Window& window, Filter filter) noexcept;

  /// @param i  0 to window.count - 1
  Taps operator[](int64_t i) const noexcept;

  /// Source pixels that the whole window needs: [begin(), end()).
  int64_t begin() const noexcept { return first_[0]; }
  int64_t end() const noexcept { return end_; }

 private:
  int64_t most_taps_ = 0;
  int64_t end_ = 0;
  std::unique_ptr<int64_t[]> first_;
  std::unique_ptr<int64_t[]> count_;
  std::unique_ptr<float[]> weights_;  // most_taps_ for each position
};

/// Resizes both axes at once, keeping only the windows.
/// @param dst     (rows.count, columns.count, 3) u8, rows `dst_stride` bytes apart
/// @return kOutOfMemory
Status resample(const Image& image, const Window& rows, const Window& columns, Filter filter, uint8_t* dst,
                size_t dst_stride) noexcept;

}  // namespace moefb::image
