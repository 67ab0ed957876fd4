// The frame of a .moefb file around its flatbuffer: header, checksums, alignment. Standard headers only; serves writer
// and reader. docs/format.md describes it byte by byte.
//
//   byte 0   root offset of the flatbuffer (u32), "MOE1"
//   byte 8   the extended header, 64 bytes
//   byte 72  the rest of the flatbuffer, zeros up to a multiple of 4096, then the segments
//
// The first eight bytes are the flatbuffer's own. The extended header stands between them and the rest, and the root
// offset is 64 larger for it, so any FlatBuffers verifier accepts the file's front as it is.
//
// To write a file: segment_layout() of the segments' sizes, crc32c() of their bytes, both into the graph's segment
// table; finish the flatbuffer with its identifier; then assemble(), or front() and the segments piece by piece.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>
#include <vector>

namespace moefb::container {

static_assert(std::endian::native == std::endian::little, ".moefb files are read and written in place: little-endian");

inline constexpr char kMagic[4] = {'M', 'O', 'E', '1'};
inline constexpr uint32_t kFormatVersion = 1;
inline constexpr uint64_t kKnownFeatures = 0;  ///< required-feature bits that this version understands
inline constexpr uint64_t kPageBytes = 4096;   ///< segments start on such a boundary of the file
inline constexpr uint64_t kTensorAlignment = 64;
inline constexpr size_t kMaxFlatbufferBytes = size_t{1} << 31;  ///< FlatBuffers' own limit
inline constexpr size_t kPrefixBytes = 8;                       ///< the flatbuffer's own root offset and identifier
inline constexpr size_t kExtendedHeaderBytes = 64;
inline constexpr size_t kHeaderBytes = kPrefixBytes + kExtendedHeaderBytes;

/// Bytes 0 to 71 of a file, in file order.
struct Header {
  uint32_t root_offset = 0;  ///< of the flatbuffer's root table, from byte 0
  char magic[4] = {'M', 'O', 'E', '1'};
  uint32_t extended_header_bytes = kExtendedHeaderBytes;
  uint32_t format_version = kFormatVersion;
  uint64_t graph_bytes = 0;    ///< of the flatbuffer from byte 72 on
  uint64_t segment_base = 0;   ///< where segment offsets count from, a multiple of kPageBytes
  uint64_t segment_bytes = 0;  ///< from segment_base to the end of the last segment
  uint64_t file_bytes = 0;
  uint64_t required_features = 0;
  uint32_t graph_crc32c = 0;   ///< over the `graph_bytes` bytes
  uint32_t header_crc32c = 0;  ///< over this header with 0 here
  uint64_t reserved = 0;
};
static_assert(sizeof(Header) == kHeaderBytes && std::is_trivially_copyable_v<Header>);
static_assert(offsetof(Header, extended_header_bytes) == 8 && offsetof(Header, graph_bytes) == 16 &&
              offsetof(Header, header_crc32c) == 60 && offsetof(Header, reserved) == 64);

constexpr uint64_t align_up(uint64_t bytes, uint64_t alignment) noexcept {
  return (bytes + alignment - 1) / alignment * alignment;
}

namespace detail {

inline constexpr uint32_t kCastagnoli = 0x82F63B78u;  // bit-reversed
using CrcTables = std::array<std::array<uint32_t, 256>, 8>;

constexpr CrcTables make_crc_tables() noexcept {
  CrcTables tables{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1u) ? kCastagnoli : 0u);
    tables[0][byte] = crc;
  }
  for (size_t slice = 1; slice < 8; ++slice) {
    for (size_t byte = 0; byte < 256; ++byte) {
      const uint32_t shorter = tables[slice - 1][byte];
      tables[slice][byte] = (shorter >> 8) ^ tables[0][shorter & 0xFFu];
    }
  }
  return tables;
}

inline constexpr CrcTables kCrcTables = make_crc_tables();

}  // namespace detail

/// CRC32C (Castagnoli) of `bytes`, 8 bytes a step through tables: no instruction that a small CPU may lack.
/// @param crc  of the bytes before these, to go on from; 0 at the start
inline uint32_t crc32c(std::span<const std::byte> bytes, uint32_t crc = 0) noexcept {
  const auto& t = detail::kCrcTables;
  const std::byte* p = bytes.data();
  size_t left = bytes.size();
  crc = ~crc;
  for (; left >= 8; left -= 8, p += 8) {
    uint64_t word;
    std::memcpy(&word, p, 8);
    word ^= crc;
    crc = t[7][word & 0xFF] ^ t[6][(word >> 8) & 0xFF] ^ t[5][(word >> 16) & 0xFF] ^ t[4][(word >> 24) & 0xFF] ^
          t[3][(word >> 32) & 0xFF] ^ t[2][(word >> 40) & 0xFF] ^ t[1][(word >> 48) & 0xFF] ^ t[0][word >> 56];
  }
  for (; left > 0; --left, ++p) crc = (crc >> 8) ^ t[0][(crc ^ uint32_t(*p)) & 0xFFu];
  return ~crc;
}

/// Reads a header without judging it. @param bytes  at least kHeaderBytes
inline Header decode_header(std::span<const std::byte> bytes) noexcept {
  Header header;
  std::memcpy(&header, bytes.data(), kHeaderBytes);
  return header;
}

/// Writes a header as it is. @param bytes  at least kHeaderBytes, overwritten
inline void encode_header(const Header& header, std::span<std::byte> bytes) noexcept {
  std::memcpy(bytes.data(), &header, kHeaderBytes);
}

/// The checksum that belongs into header.header_crc32c.
inline uint32_t header_crc32c(Header header) noexcept {
  header.header_crc32c = 0;
  return crc32c(std::as_bytes(std::span(&header, 1)));
}

/// Where each segment starts, counted from the segment base: one behind the other, each on a page of its own.
inline std::vector<uint64_t> segment_layout(std::span<const uint64_t> sizes) {
  std::vector<uint64_t> offsets;
  offsets.reserve(sizes.size());
  uint64_t end = 0;
  for (uint64_t size : sizes) {
    offsets.push_back(align_up(end, kPageBytes));
    end = offsets.back() + size;
  }
  return offsets;
}

/// Where the last segment ends, counted from the segment base. 0 if there is none.
inline uint64_t segments_end(std::span<const uint64_t> sizes) {
  return sizes.empty() ? 0 : segment_layout(sizes).back() + sizes.back();
}

/// Everything in front of the first segment, for a writer that streams the segments behind it: header, flatbuffer,
/// zeros up to the page. The n-th segment goes to front().size() + segment_layout()[n], zeros between them.
///
/// @param flatbuffer     finished with the identifier "MOE1", not size-prefixed
/// @param segment_bytes  segments_end() of the sizes
/// @return empty if `flatbuffer` has no such identifier or is 2 GiB or larger
inline std::vector<std::byte> front(std::span<const std::byte> flatbuffer, uint64_t segment_bytes) {
  if (flatbuffer.size() <= kPrefixBytes || flatbuffer.size() >= kMaxFlatbufferBytes) return {};
  if (std::memcmp(flatbuffer.data() + 4, kMagic, sizeof(kMagic)) != 0) return {};
  const auto graph = flatbuffer.subspan(kPrefixBytes);
  Header header;
  std::memcpy(&header.root_offset, flatbuffer.data(), sizeof(header.root_offset));
  header.root_offset += uint32_t(kExtendedHeaderBytes);
  header.graph_bytes = graph.size();
  header.segment_base = align_up(kHeaderBytes + graph.size(), kPageBytes);
  header.segment_bytes = segment_bytes;
  header.file_bytes = header.segment_base + segment_bytes;
  header.graph_crc32c = crc32c(graph);
  header.header_crc32c = header_crc32c(header);

  std::vector<std::byte> bytes(header.segment_base);  // zeros
  encode_header(header, bytes);
  std::memcpy(bytes.data() + kHeaderBytes, graph.data(), graph.size());
  return bytes;
}

/// A whole file in memory.
///
/// @param flatbuffer  as for front(); its segment table must already hold the offsets of segment_layout()
/// @param segments    in the order of that table
/// @return empty if front() is
inline std::vector<std::byte> assemble(std::span<const std::byte> flatbuffer,
                                       std::span<const std::span<const std::byte>> segments) {
  std::vector<uint64_t> sizes;
  for (const auto& segment : segments) sizes.push_back(segment.size());
  std::vector<std::byte> file = front(flatbuffer, segments_end(sizes));
  if (file.empty()) return file;

  const uint64_t base = file.size();
  const auto offsets = segment_layout(sizes);
  file.resize(base + segments_end(sizes));
  for (size_t i = 0; i < segments.size(); ++i) {
    if (!segments[i].empty()) std::memcpy(file.data() + base + offsets[i], segments[i].data(), segments[i].size());
  }
  return file;
}

}  // namespace moefb::container
