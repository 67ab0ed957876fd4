// BMP: a header that stb_image reads rightly, and every row there.
#include <cstdlib>

#include "image/formats.h"

namespace moefb::image {
namespace {

constexpr int64_t kFileHeader = 14;

struct BmpHeader {
  int64_t pixels_at = 0;  // from the start of the file
  int64_t size = 0;       // of the part after the file header: tells its version
  int64_t width = 0;
  int64_t height = 0;  // negative: rows from top to bottom
  int bits = 0;        // per pixel
  uint32_t planes = 0;
  uint32_t compression = 0;  // 0 none, 3 channel masks

  int64_t row_bytes() const noexcept { return (width * bits + 31) / 32 * 4; }
  int64_t mask_bytes() const noexcept { return size == 40 && compression == 3 ? 12 : 0; }
  int64_t colours() const noexcept { return (pixels_at - kFileHeader - size) / 4; }
};

BmpHeader read_header(Cursor& in) noexcept {
  BmpHeader header;
  in.skip(10);  // signature, file size (often wrong), reserved
  header.pixels_at = in.u32le();
  header.size = in.u32le();
  const bool old = header.size == 12;
  header.width = old ? int64_t(in.u16le()) : int64_t(int32_t(in.u32le()));
  header.height = old ? int64_t(in.u16le()) : int64_t(int32_t(in.u32le()));
  header.planes = in.u16le();
  header.bits = int(in.u16le());
  header.compression = old ? 0 : in.u32le();
  return header;
}

// Valid files that stb_image misreads or refuses.
Status check_kind(const BmpHeader& header) noexcept {
  const int64_t size = header.size;
  if (size != 12 && size != 40 && size != 56 && size != 108 && size != 124) {
    return Status(Code::kUnsupported, "BMP: header version is not known").values(size, 40);
  }
  if (header.compression != 0 && header.compression != 3) {
    return Status(Code::kUnsupported, "BMP: compressed files are not read").values(header.compression, 0);
  }
  if (size == 12 && header.bits != 24) {
    return Status(Code::kUnsupported, "BMP: old headers are read with 24 bits a pixel only").values(header.bits, 24);
  }
  if (size == 56 && header.compression == 3) {
    return Status(Code::kUnsupported, "BMP: channel masks in a 56-byte header are not read");
  }
  return Status();
}

Status check_layout(const BmpHeader& header) noexcept {
  const int bits = header.bits;
  const bool palette = bits == 1 || bits == 4 || bits == 8;
  const bool masks_allowed = bits == 16 || bits == 32;
  if ((!palette && !masks_allowed && bits != 24) || header.planes != 1 || (header.compression == 3 && !masks_allowed)) {
    return Status(Code::kCorruptFile, "BMP: header is not valid");
  }
  if (palette && (header.colours() < 1 || header.colours() > 256)) {
    return Status(Code::kCorruptFile, "BMP: number of colours is not valid").values(header.colours(), 1 << bits);
  }
  const int64_t expected = kFileHeader + header.size + header.mask_bytes();
  if (!palette && header.pixels_at != expected) {
    return Status(Code::kUnsupported, "BMP: pixels do not follow the header").values(header.pixels_at, expected);
  }
  return Status();
}

}  // namespace

Result<Header> inspect_bmp(Bytes file) noexcept {
  Cursor in(file);
  const BmpHeader bmp = read_header(in);
  if (!in.ok()) return cut_short(in.position());
  MOEFB_TRY(check_kind(bmp));
  MOEFB_TRY(check_size(bmp.width, std::abs(bmp.height)));
  MOEFB_TRY(check_layout(bmp));
  const int64_t needed = bmp.pixels_at + std::abs(bmp.height) * bmp.row_bytes();
  if (int64_t(file.size()) < needed) {
    return Status(Code::kCorruptFile, "BMP: fewer bytes than its rows need").values(int64_t(file.size()), needed);
  }
  return Header{bmp.width, std::abs(bmp.height)};
}

}  // namespace moefb::image
