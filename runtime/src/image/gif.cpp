// GIF: whole blocks to the end, and a first image whose compressed data yields all of its pixels.
#include "image/formats.h"

namespace moefb::image {
namespace {

constexpr uint8_t kExtension = 0x21;
constexpr uint8_t kImage = 0x2C;
constexpr uint8_t kTrailer = 0x3B;

// A first image may leave parts of the screen empty. To claim a large screen it must cover one pixel in this many:
// otherwise a file of a few bytes could ask for a large allocation.
constexpr int64_t kMaxEmptiness = 16;
constexpr int64_t kLargeScreen = int64_t{1} << 20;

int64_t colour_table_bytes(uint8_t flags) noexcept {
  return (flags & 0x80) ? int64_t{3} << ((flags & 7) + 1) : 0;
}

// Sub-blocks up to their empty terminator.
void skip_blocks(Cursor& in) noexcept {
  for (uint8_t length = in.u8(); length != 0 && in.ok(); length = in.u8()) in.skip(length);
}

// Counts the pixels of an LZW stream by the lengths of its strings alone; no pixel is stored.
class LzwCounter {
 public:
  explicit LzwCounter(int root_bits) noexcept : root_bits_(root_bits) { clear(); }

  bool done() const noexcept { return done_; }
  bool damaged() const noexcept { return damaged_; }
  int64_t pixels() const noexcept { return pixels_; }

  void feed(uint8_t byte) noexcept {
    if (done_ || damaged_) return;
    buffer_ |= uint32_t(byte) << buffered_;
    buffered_ += 8;
    while (buffered_ >= code_bits_ && !done_ && !damaged_) {
      const uint32_t code = buffer_ & ((1u << code_bits_) - 1);
      buffer_ >>= code_bits_;
      buffered_ -= code_bits_;
      take(code);
    }
  }

 private:
  static constexpr uint32_t kTableSize = 4096;

  uint32_t clear_code() const noexcept { return 1u << root_bits_; }

  void clear() noexcept {
    code_bits_ = root_bits_ + 1;
    next_ = clear_code() + 2;
    previous_ = 0;
  }

  void take(uint32_t code) noexcept {
    if (code == clear_code()) return clear();
    if (code == clear_code() + 1) {
      done_ = true;
      return;
    }
    // Without a previous string only a single pixel can come; the entry being defined is the last that may be used.
    damaged_ = previous_ == 0 ? code >= clear_code() : code > next_ || code >= kTableSize;
    if (damaged_) return;
    const uint32_t length = code < clear_code() ? 1 : code == next_ ? previous_ + 1 : length_[code];
    if (previous_ != 0 && next_ < kTableSize) define(previous_ + 1);
    previous_ = length;
    pixels_ += length;
  }

  void define(uint32_t length) noexcept {
    length_[next_++] = uint16_t(length);
    if (next_ == (1u << code_bits_) && code_bits_ < 12) ++code_bits_;
  }

  int root_bits_;
  int code_bits_ = 0;
  int buffered_ = 0;
  uint32_t buffer_ = 0;
  uint32_t next_ = 0;      // code that the next string will get
  uint32_t previous_ = 0;  // length of the string before; 0 after a clear
  int64_t pixels_ = 0;
  bool done_ = false;
  bool damaged_ = false;
  uint16_t length_[kTableSize] = {};
};

Status check_data(Cursor& in, int64_t pixels) noexcept {
  const int root_bits = in.u8();
  if (in.ok() && (root_bits < 2 || root_bits > 8)) {
    return Status(Code::kCorruptFile, "GIF: code size is not valid").values(root_bits, 8);
  }
  LzwCounter counter(in.ok() ? root_bits : 2);
  for (uint8_t length = in.u8(); length != 0 && in.ok(); length = in.u8()) {
    for (uint8_t byte : in.bytes(length)) counter.feed(byte);
  }
  if (!in.ok()) return cut_short(in.position());
  if (counter.damaged()) return Status(Code::kCorruptFile, "GIF: compressed data is damaged");
  if (counter.pixels() >= pixels) return Status();
  return Status(Code::kCorruptFile, "GIF: fewer pixels than its header says").values(counter.pixels(), pixels);
}

Status check_image(Cursor& in, const Header& screen, bool has_colours) noexcept {
  const int64_t x = in.u16le();
  const int64_t y = in.u16le();
  const int64_t width = in.u16le();
  const int64_t height = in.u16le();
  const uint8_t flags = in.u8();
  in.skip(size_t(colour_table_bytes(flags)));
  if (!in.ok()) return cut_short(in.position());
  if (width == 0 || height == 0 || x + width > screen.width || y + height > screen.height) {
    return Status(Code::kCorruptFile, "GIF: first image does not fit the screen");
  }
  if (!has_colours && !(flags & 0x80)) return Status(Code::kCorruptFile, "GIF: has no colours");
  const int64_t screen_pixels = screen.width * screen.height;
  if (screen_pixels > kLargeScreen && screen_pixels / kMaxEmptiness > width * height) {
    return Status(Code::kCorruptFile, "GIF: screen is far larger than its first image")
        .values(screen_pixels, width * height);
  }
  return check_data(in, width * height);
}

void skip_image(Cursor& in) noexcept {
  in.skip(8);
  in.skip(size_t(colour_table_bytes(in.u8())));
  in.skip(1);  // code size
  skip_blocks(in);
}

}  // namespace

Result<Header> inspect_gif(Bytes file) noexcept {
  Cursor in(file);
  in.skip(6);  // signature
  Header header;
  header.width = in.u16le();
  header.height = in.u16le();
  const uint8_t flags = in.u8();
  in.skip(2);  // background, aspect
  if (!in.ok()) return cut_short(in.position());
  MOEFB_TRY(check_size(header.width, header.height));
  in.skip(size_t(colour_table_bytes(flags)));

  // The first image is checked; what follows is only walked, to tell a whole file from one that is cut short. Some
  // encoders leave the trailer out, so the end may also come where a block would begin.
  bool found = false;
  while (in.left() > 0 || !found) {
    const uint8_t kind = in.u8();
    if (kind == kTrailer) break;
    if (kind == kExtension) {
      in.skip(1);
      skip_blocks(in);
    } else if (kind == kImage && found) {
      skip_image(in);
    } else if (kind == kImage) {
      MOEFB_TRY(check_image(in, header, flags & 0x80));
      found = true;
    } else if (in.ok() && !found) {
      return Status(Code::kCorruptFile, "GIF: unknown block").at(int64_t(in.position()) - 1);
    }
    if (!in.ok()) return cut_short(in.position());
  }
  if (!found) return Status(Code::kCorruptFile, "GIF: holds no image");
  return header;
}

}  // namespace moefb::image
