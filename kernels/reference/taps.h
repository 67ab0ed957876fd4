// Which taps of a window touch real input: padding is skipped, never multiplied.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/reference/kernels.h"

namespace moefb::kernels::reference {

/// One spatial axis of a Window.
struct Axis {
  int64_t in, out, kernel, stride, padding;
};

inline Axis vertical(const Window& window) noexcept {
  return {window.h, window.oh, window.kh, window.stride, window.padding};
}
inline Axis horizontal(const Window& window) noexcept {
  return {window.w, window.ow, window.kw, window.stride, window.padding};
}

/// A run of outputs along an axis whose windows have the same taps inside the input.
struct TapSpan {
  int64_t begin, end;          ///< outputs
  int64_t tap_begin, tap_end;  ///< their taps; none if the window lies in the padding

  int64_t taps() const noexcept { return tap_end - tap_begin; }
};

/// The longest such run that starts at output `begin`.
inline TapSpan tap_span(const Axis& axis, int64_t begin) noexcept {
  const auto first_tap = [&](int64_t output) {
    return std::clamp<int64_t>(axis.padding - output * axis.stride, 0, axis.kernel);
  };
  const auto last_tap = [&](int64_t output) {
    return std::clamp<int64_t>(axis.in + axis.padding - output * axis.stride, first_tap(output), axis.kernel);
  };
  TapSpan span{begin, begin + 1, first_tap(begin), last_tap(begin)};
  while (span.end < axis.out && first_tap(span.end) == span.tap_begin && last_tap(span.end) == span.tap_end) {
    ++span.end;
  }
  return span;
}

}  // namespace moefb::kernels::reference
