#include "format/header.h"

#include <algorithm>
#include <cstring>

#include "checksum.h"

namespace moefb::format {
namespace {

using container::Header;
using container::kHeaderBytes;

constexpr Status corrupt(const char* text) noexcept {
  return {Code::kCorruptFile, text};
}

bool is_text(std::byte byte) noexcept {
  const auto c = uint8_t(byte);
  return (c >= 0x20 && c != 0x7f) || (c >= '\t' && c <= '\r');
}

/// Says what a file without our magic rather is: people do pass a configuration or a page that a server sent.
Status not_a_model(std::span<const std::byte> file) noexcept {
  const auto start = file.first(std::min(file.size(), kHeaderBytes));
  if (std::all_of(start.begin(), start.end(), is_text)) return corrupt("this is a text file, not a .moefb model");
  return corrupt("not a .moefb model: its first bytes are something else");
}

Status check_magic(std::span<const std::byte> file) noexcept {
  if (file.empty()) return corrupt("the file is empty");
  if (file.size() < container::kPrefixBytes || std::memcmp(file.data() + 4, container::kMagic, 4) != 0) {
    return not_a_model(file);
  }
  if (file.size() < kHeaderBytes) {
    return corrupt("the file ends inside its header").values(int64_t(file.size()), int64_t(kHeaderBytes));
  }
  return {};
}

/// Before the checksum: a newer header may be laid out otherwise.
Status check_version(const Header& header) noexcept {
  if (header.format_version > container::kFormatVersion) {
    return Status(Code::kVersionMismatch, "the file has a newer format version than this build reads")
        .values(header.format_version, container::kFormatVersion);
  }
  if (header.format_version == 0) {
    return corrupt("the format version is 0").values(0, container::kFormatVersion);
  }
  const uint64_t unknown = header.required_features & ~container::kKnownFeatures;
  if (unknown != 0) {
    return Status(Code::kUnsupported, "the file needs a feature that this build lacks").at(std::countr_zero(unknown));
  }
  return {};
}

Status check_checksum(const Header& header) noexcept {
  const uint32_t expected = container::header_crc32c(header);
  if (checksum_matches(header.header_crc32c, expected)) return {};
  return corrupt("the header's checksum differs").values(header.header_crc32c, expected);
}

Status check_file_bytes(const Header& header, uint64_t size) noexcept {
  if (size < header.file_bytes) {
    return corrupt("the file is cut short").values(int64_t(size), int64_t(header.file_bytes));
  }
  if (size > header.file_bytes) {
    return corrupt("the file goes on behind its end").values(int64_t(size), int64_t(header.file_bytes));
  }
  return {};
}

/// The parts lie one behind the other and fill the file. file_bytes is proved, so it bounds all sums.
Status check_layout(const Header& header) noexcept {
  if (header.extended_header_bytes != container::kExtendedHeaderBytes) {
    return corrupt("the extended header has another size")
        .values(header.extended_header_bytes, int64_t(container::kExtendedHeaderBytes));
  }
  if (header.reserved != 0) return corrupt("the header's reserved bytes are not zero");
  if (header.graph_bytes > kMaxFrontBytes - kHeaderBytes) return corrupt("the flatbuffer is 2 GiB or larger");
  const uint64_t front = kHeaderBytes + header.graph_bytes;
  if (header.segment_base != container::align_up(front, container::kPageBytes)) {
    return corrupt("the segments do not start on the page behind the flatbuffer").at(int64_t(header.segment_base));
  }
  if (header.segment_base > header.file_bytes || header.segment_bytes != header.file_bytes - header.segment_base) {
    return corrupt("the segments do not fill the file")
        .values(int64_t(header.segment_bytes), int64_t(header.file_bytes));
  }
  if (header.root_offset < kHeaderBytes || header.root_offset >= front) {
    return corrupt("the flatbuffer's root is outside of it").at(header.root_offset);
  }
  return {};
}

}  // namespace

Result<Header> read_header(std::span<const std::byte> file) noexcept {
  MOEFB_TRY(check_magic(file));
  const Header header = container::decode_header(file);
  MOEFB_TRY(check_version(header));
  MOEFB_TRY(check_checksum(header));
  MOEFB_TRY(check_file_bytes(header, file.size()));
  MOEFB_TRY(check_layout(header));
  return header;
}

Status check_zeros(std::span<const std::byte> file, uint64_t begin, uint64_t end) noexcept {
  for (uint64_t i = begin; i < end; ++i) {
    if (file[i] != std::byte{0}) return corrupt("padding is not zero").at(int64_t(i));
  }
  return {};
}

}  // namespace moefb::format
