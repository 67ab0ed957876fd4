#include "format/segments.h"

#include "checksum.h"
#include "format/fields.h"
#include "format/header.h"

namespace moefb::format {
namespace {

/// @param end  where the segment before ends, from the segment base
Status check_place(const fb::Segment& raw, const container::Header& header, uint64_t end) noexcept {
  if (raw.offset() % container::kPageBytes != 0) return corrupt("a segment does not start on a page");
  if (raw.offset() < end) return corrupt("a segment overlaps the one before");
  if (raw.bytes() == 0) return corrupt("a segment is empty");
  if (raw.offset() > header.segment_bytes || raw.bytes() > header.segment_bytes - raw.offset()) {
    return corrupt("a segment reaches behind the end of the file");
  }
  return {};
}

Status check_packing(const fb::Segment& raw) noexcept {
  std::string isa;
  MOEFB_TRY(read_name(raw.isa(), isa));
  const bool packed = raw.kind() == fb::SegmentKind::packed;
  if (packed && isa.empty()) return corrupt("a packed segment does not say for which instruction set");
  if (!packed && (!isa.empty() || raw.packer_version() != 0)) {
    return corrupt("a segment that is not packed names an instruction set or packer");
  }
  return {};
}

Status check_checksum(const graph::Segment& segment, std::span<const std::byte> file) noexcept {
  const uint32_t crc = container::crc32c(file.subspan(segment.offset, segment.bytes));
  if (checksum_matches(crc, segment.crc32c)) return {};
  return corrupt("a segment's checksum differs").values(crc, segment.crc32c);
}

Status check_kind(const fb::Segment& raw) noexcept {
  const auto kind = static_cast<uint8_t>(raw.kind());
  const auto last = static_cast<uint8_t>(fb::SegmentKind::MAX);
  return kind > last ? corrupt("a segment's kind is unknown").values(kind, last) : Status();
}

Status check_segment(const fb::Segment& raw, const container::Header& header, uint64_t end) noexcept {
  MOEFB_TRY(check_kind(raw));
  MOEFB_TRY(check_place(raw, header, end));
  return check_packing(raw);
}

}  // namespace

Status read_segments(const fb::Model& model, std::span<const std::byte> file, const container::Header& header,
                     bool verify_checksums, std::vector<graph::Segment>& segments) noexcept {
  uint64_t end = 0;
  for (size_t i = 0; i < count(model.segments()); ++i) {
    const fb::Segment& raw = *model.segments()->Get(uint32_t(i));
    if (const Status s = check_segment(raw, header, end); !s.ok()) return s.at(int64_t(i));
    MOEFB_TRY(check_zeros(file, header.segment_base + end, header.segment_base + raw.offset()));
    segments.push_back(
        {static_cast<uint8_t>(raw.kind()), header.segment_base + raw.offset(), raw.bytes(), raw.crc32c()});
    if (verify_checksums) {
      if (const Status s = check_checksum(segments.back(), file); !s.ok()) return s.at(int64_t(i));
    }
    end = raw.offset() + raw.bytes();
  }
  if (end != header.segment_bytes) {
    return corrupt("bytes behind the last segment").values(int64_t(header.segment_bytes), int64_t(end));
  }
  return {};
}

}  // namespace moefb::format
