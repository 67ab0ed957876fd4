// A reading position in a file's bytes that cannot leave them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace moefb::image {

using Bytes = std::span<const uint8_t>;

/// Reads numbers one after another. A read beyond the end gives 0 and makes ok() false from then on, so that a parser
/// may read a whole header before it asks once.
class Cursor {
 public:
  explicit Cursor(Bytes bytes) noexcept : bytes_(bytes) {}

  bool ok() const noexcept { return ok_; }
  size_t position() const noexcept { return position_; }
  size_t left() const noexcept { return bytes_.size() - position_; }

  uint8_t u8() noexcept { return take(1) ? bytes_[position_ - 1] : 0; }
  uint32_t u16be() noexcept { return be(2); }
  uint32_t u32be() noexcept { return be(4); }
  uint32_t u16le() noexcept { return le(2); }
  uint32_t u32le() noexcept { return le(4); }

  void skip(size_t n) noexcept { take(n); }

  /// The next n bytes; empty, and not ok(), if there are fewer.
  Bytes bytes(size_t n) noexcept { return take(n) ? bytes_.subspan(position_ - n, n) : Bytes(); }

  /// Moves on to the next byte of this value, or to the end.
  void find(uint8_t value) noexcept {
    if (left() == 0) return;
    const uint8_t* from = bytes_.data() + position_;
    const void* hit = std::memchr(from, value, left());
    position_ += hit ? size_t(static_cast<const uint8_t*>(hit) - from) : left();
  }

 private:
  bool take(size_t n) noexcept {
    ok_ = ok_ && n <= left();
    if (ok_) position_ += n;
    return ok_;
  }
  uint32_t be(size_t n) noexcept {
    uint32_t value = 0;
    for (uint8_t byte : bytes(n)) value = value << 8 | byte;
    return value;
  }
  uint32_t le(size_t n) noexcept {
    uint32_t value = 0;
    int shift = 0;
    for (uint8_t byte : bytes(n)) {
      value |= uint32_t(byte) << shift;
      shift += 8;
    }
    return value;
  }

  Bytes bytes_;
  size_t position_ = 0;
  bool ok_ = true;
};

}  // namespace moefb::image
