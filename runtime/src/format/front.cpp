#include "format/front.h"

#include <cstring>
#include <new>

#include "checksum.h"
#include "format/header.h"

namespace moefb::format {
namespace {

static_assert(kMaxFrontBytes < FLATBUFFERS_MAX_BUFFER_SIZE, "the verifier's constructor asserts this");

/// Alignment of fields counts from the start of the buffer.
constexpr std::align_val_t kAlignment{64};

// A model nests five tables deep and has a few hundred.
constexpr flatbuffers::uoffset_t kMaxDepth = 16;
constexpr flatbuffers::uoffset_t kMaxTables = 10000;

constexpr Status corrupt(const char* text) noexcept {
  return {Code::kCorruptFile, text};
}

}  // namespace

void Front::Free::operator()(std::byte* bytes) const noexcept {
  ::operator delete(bytes, kAlignment);
}

Status Front::check(const container::Header& header) const noexcept {
  const std::span graph(bytes_.get() + container::kHeaderBytes, header.graph_bytes);
  const uint32_t crc = container::crc32c(graph);
  if (!checksum_matches(crc, header.graph_crc32c)) {
    return corrupt("the flatbuffer's checksum differs").values(crc, header.graph_crc32c);
  }

  const auto* start = reinterpret_cast<const uint8_t*>(bytes_.get());
  flatbuffers::Verifier verifier(start, container::kHeaderBytes + header.graph_bytes, kMaxDepth, kMaxTables);
  if (!fb::VerifyModelBuffer(verifier)) return corrupt("the flatbuffer is malformed");
  return {};
}

Result<Front> Front::copy(std::span<const std::byte> file, const container::Header& header) noexcept {
  const size_t size = container::kHeaderBytes + header.graph_bytes;
  auto* bytes = static_cast<std::byte*>(::operator new(size, kAlignment, std::nothrow));
  if (bytes == nullptr) return Status(Code::kOutOfMemory, "no memory for the flatbuffer");
  Front front(bytes);
  std::memcpy(bytes, file.data(), size);
  MOEFB_TRY(front.check(header));
  return front;
}

}  // namespace moefb::format
