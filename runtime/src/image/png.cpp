// PNG: every chunk whole and its CRC right, from IHDR to IEND, and enough compressed data for the size.
#include <array>
#include <cstring>

#include "checksum.h"
#include "image/exif.h"
#include "image/formats.h"

namespace moefb::image {
namespace {

constexpr uint32_t tag(const char (&name)[5]) {
  return uint32_t(name[0]) << 24 | uint32_t(name[1]) << 16 | uint32_t(name[2]) << 8 | uint32_t(name[3]);
}

// Deflate's best: one bit for a length of 258 and one for its distance.
constexpr int64_t kMaxDeflateRatio = 258 * 8 / 2;

constexpr std::array<uint32_t, 256> crc_table() {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t c = i;
    for (int bit = 0; bit < 8; ++bit) c = (c & 1) ? 0xEDB88320u ^ (c >> 1) : c >> 1;
    table[i] = c;
  }
  return table;
}

constexpr std::array<uint32_t, 256> kCrcTable = crc_table();

// The CRC-32 of ISO 3309 that PNG prescribes; not the CRC-32C of model files.
uint32_t crc32(Bytes bytes) noexcept {
  uint32_t crc = ~uint32_t{0};
  for (uint8_t byte : bytes) crc = kCrcTable[(crc ^ byte) & 255] ^ (crc >> 8);
  return ~crc;
}

struct PixelLayout {
  int depth = 0;
  int colour = 0;
  int interlace = 0;

  int channels() const noexcept { return colour == 2 ? 3 : colour == 4 ? 2 : colour == 6 ? 4 : 1; }

  // The combinations of the PNG specification, table 11.1.
  bool valid() const noexcept {
    const bool small = depth == 1 || depth == 2 || depth == 4;
    if (interlace > 1) return false;
    if (colour == 0) return small || depth == 8 || depth == 16;
    if (colour == 3) return small || depth == 8;
    return (colour == 2 || colour == 4 || colour == 6) && (depth == 8 || depth == 16);
  }
};

// Bytes of one (reduced) image: each row has a filter byte and is padded to whole bytes.
int64_t rows_bytes(int64_t width, int64_t height, int64_t bits_per_pixel) noexcept {
  return width == 0 ? 0 : height * (1 + (width * bits_per_pixel + 7) / 8);
}

// Bytes that the compressed data must unpack to.
int64_t unpacked_bytes(const Header& header, const PixelLayout& layout) noexcept {
  const int64_t bits = int64_t(layout.depth) * layout.channels();
  if (layout.interlace == 0) return rows_bytes(header.width, header.height, bits);
  struct Pass {
    int x, y, step_x, step_y;
  };
  static constexpr Pass kAdam7[] = {{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4},
                                    {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}};
  int64_t total = 0;
  for (const Pass& pass : kAdam7) {
    const int64_t width = (header.width - pass.x + pass.step_x - 1) / pass.step_x;
    const int64_t height = (header.height - pass.y + pass.step_y - 1) / pass.step_y;
    total += rows_bytes(width, height, bits);
  }
  return total;
}

Status read_ihdr(Bytes body, Header& header, PixelLayout& layout) noexcept {
  Cursor in(body);
  header.width = in.u32be();
  header.height = in.u32be();
  layout.depth = in.u8();
  layout.colour = in.u8();
  const int compression = in.u8();
  const int filter = in.u8();
  layout.interlace = in.u8();
  if (body.size() != 13 || !layout.valid() || compression != 0 || filter != 0) {
    return Status(Code::kCorruptFile, "PNG: header chunk is not valid");
  }
  return check_size(header.width, header.height);
}

struct Chunk {
  uint32_t type = 0;
  Bytes body;
};

Status read_chunk(Cursor& in, Chunk& chunk) noexcept {
  const size_t start = in.position();
  const size_t length = in.u32be();
  Cursor covered = in;  // the CRC covers type and body
  chunk.type = in.u32be();
  chunk.body = in.bytes(length);
  const uint32_t stored = in.u32be();
  if (!in.ok()) return cut_short(start);
  const uint32_t computed = crc32(covered.bytes(4 + length));
  if (checksum_matches(computed, stored)) return Status();
  return Status(Code::kCorruptFile, "PNG: checksum of a chunk differs").at(int64_t(start)).values(computed, stored);
}

bool is_critical(uint32_t type) noexcept {
  return (type & 0x20000000u) == 0;
}

}  // namespace

Result<Header> inspect_png(Bytes file) noexcept {
  Header header;
  PixelLayout layout;
  int64_t data_bytes = 0;
  Cursor in(file);
  in.skip(8);  // signature
  Chunk chunk;
  MOEFB_TRY(read_chunk(in, chunk));
  if (chunk.type != tag("IHDR")) return Status(Code::kCorruptFile, "PNG: does not begin with its header chunk");
  MOEFB_TRY(read_ihdr(chunk.body, header, layout));

  while (chunk.type != tag("IEND")) {
    const size_t start = in.position();
    MOEFB_TRY(read_chunk(in, chunk));
    if (chunk.type == tag("IDAT")) {
      data_bytes += int64_t(chunk.body.size());
    } else if (chunk.type == tag("eXIf")) {
      header.orientation = exif_orientation(chunk.body);
    } else if (is_critical(chunk.type) && chunk.type != tag("PLTE") && chunk.type != tag("IEND")) {
      return Status(Code::kUnsupported, "PNG: has an essential chunk of an unknown kind").at(int64_t(start));
    }
  }
  const int64_t needed = unpacked_bytes(header, layout) / kMaxDeflateRatio;
  if (data_bytes < needed || data_bytes == 0) {
    return Status(Code::kCorruptFile, "PNG: too few bytes of data for the size in its header")
        .values(data_bytes, needed);
  }
  return header;
}

}  // namespace moefb::image
