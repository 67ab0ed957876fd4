#include "schema/container.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string_view>

#include "runtime/format/tiny_model.h"

namespace moefb::container {
namespace {

std::vector<std::byte> repeated(size_t size, uint8_t value) {
  return std::vector<std::byte>(size, std::byte{value});
}

std::vector<std::byte> counting(size_t size, int first, int step) {
  std::vector<std::byte> bytes(size);
  for (size_t i = 0; i < size; ++i) bytes[i] = std::byte(uint8_t(first + step * int(i)));
  return bytes;
}

/// Bit by bit, as the polynomial says.
uint32_t slow_crc32c(std::span<const std::byte> bytes) {
  uint32_t crc = 0xFFFFFFFFu;
  for (std::byte byte : bytes) {
    crc ^= uint32_t(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1u) ? 0x82F63B78u : 0u);
  }
  return ~crc;
}

// RFC 3720, appendix B.4.
TEST(Crc32c, AgreesWithPublishedVectors) {
  EXPECT_EQ(crc32c(repeated(32, 0x00)), 0x8A9136AAu);
  EXPECT_EQ(crc32c(repeated(32, 0xFF)), 0x62A8AB43u);
  EXPECT_EQ(crc32c(counting(32, 0, 1)), 0x46DD794Eu);
  EXPECT_EQ(crc32c(counting(32, 31, -1)), 0x113FDB5Cu);
  EXPECT_EQ(crc32c(std::as_bytes(std::span(std::string_view("123456789")))), 0xE3069283u);
  EXPECT_EQ(crc32c({}), 0u);
}

TEST(Crc32c, AgreesWithTheBitwiseFormAtEveryLengthAndAlignment) {
  const auto bytes = counting(80, 3, 7);
  for (size_t begin = 0; begin < 9; ++begin) {
    for (size_t size = 0; begin + size <= bytes.size(); ++size) {
      const auto part = std::span(bytes).subspan(begin, size);
      ASSERT_EQ(crc32c(part), slow_crc32c(part)) << begin << " + " << size;
    }
  }
}

TEST(Crc32c, GoesOnFromThePartBefore) {
  const auto bytes = counting(100, 0, 3);
  for (size_t cut = 0; cut <= bytes.size(); ++cut) {
    const uint32_t first = crc32c(std::span(bytes).first(cut));
    ASSERT_EQ(crc32c(std::span(bytes).subspan(cut), first), crc32c(bytes)) << cut;
  }
}

TEST(Header, IsLaidOutAsDocumented) {
  Header header;
  header.root_offset = 0x01020304;
  header.graph_bytes = 0x1112131415161718;
  header.segment_base = 0x2122232425262728;
  header.segment_bytes = 0x3132333435363738;
  header.file_bytes = 0x4142434445464748;
  header.required_features = 0x5152535455565758;
  header.graph_crc32c = 0x61626364;
  header.header_crc32c = 0x71727374;
  std::vector<std::byte> bytes(kHeaderBytes);
  encode_header(header, bytes);
  const uint8_t expected[kHeaderBytes] = {
      4,    3,    2,    1,    'M',  'O',  'E',  '1',  64,   0,    0,    0,    1,    0,    0,    0,    0x18, 0x17,
      0x16, 0x15, 0x14, 0x13, 0x12, 0x11, 0x28, 0x27, 0x26, 0x25, 0x24, 0x23, 0x22, 0x21, 0x38, 0x37, 0x36, 0x35,
      0x34, 0x33, 0x32, 0x31, 0x48, 0x47, 0x46, 0x45, 0x44, 0x43, 0x42, 0x41, 0x58, 0x57, 0x56, 0x55, 0x54, 0x53,
      0x52, 0x51, 0x64, 0x63, 0x62, 0x61, 0x74, 0x73, 0x72, 0x71, 0,    0,    0,    0,    0,    0,    0,    0};
  EXPECT_TRUE(std::ranges::equal(bytes, std::as_bytes(std::span(expected))));
  EXPECT_EQ(decode_header(bytes).file_bytes, header.file_bytes);
}

TEST(Header, ChecksumCoversEveryFieldButItself) {
  Header header;
  const uint32_t crc = header_crc32c(header);
  header.header_crc32c = 99;
  EXPECT_EQ(header_crc32c(header), crc);
  header.reserved = 1;
  EXPECT_NE(header_crc32c(header), crc);
}

TEST(SegmentLayout, StartsEverySegmentOnAPage) {
  const uint64_t sizes[] = {1, 4096, 4097, 10};
  EXPECT_EQ(segment_layout(sizes), (std::vector<uint64_t>{0, 4096, 8192, 16384}));
  EXPECT_EQ(segments_end(sizes), 16394u);
  EXPECT_TRUE(segment_layout({}).empty());
  EXPECT_EQ(segments_end({}), 0u);
}

TEST(Front, RefusesWhatIsNoFlatbufferOfOurs) {
  EXPECT_TRUE(front({}, 0).empty());
  EXPECT_TRUE(front(repeated(100, 0), 0).empty());
  EXPECT_TRUE(assemble(repeated(100, 'M'), {}).empty());
}

TEST(Front, EndsWhereTheSegmentsStart) {
  testing::TinyModel tiny = testing::tiny_sparse();
  testing::seal(tiny);
  const auto graph = testing::flatbuffer(tiny);
  const auto bytes = front(graph, 100);
  const Header header = decode_header(bytes);
  EXPECT_EQ(bytes.size() % kPageBytes, 0u);
  EXPECT_EQ(header.segment_base, bytes.size());
  EXPECT_EQ(header.segment_bytes, 100u);
  EXPECT_EQ(header.file_bytes, bytes.size() + 100);
  EXPECT_EQ(header.graph_bytes, graph.size() - kPrefixBytes);
  EXPECT_EQ(header.graph_crc32c, crc32c(std::span(graph).subspan(kPrefixBytes)));
  EXPECT_EQ(header.header_crc32c, header_crc32c(header));
}

TEST(Assemble, PutsSegmentsWhereTheLayoutSays) {
  testing::TinyModel tiny = testing::tiny_sparse();
  testing::seal(tiny);
  const testing::FileBytes file = testing::pack(tiny);
  const Header header = decode_header(file.span());
  ASSERT_EQ(file.size(), header.file_bytes);
  for (size_t i = 0; i < tiny.segments.size(); ++i) {
    const uint64_t begin = header.segment_base + tiny.model.segments[i]->offset;
    EXPECT_TRUE(std::ranges::equal(file.span().subspan(begin, tiny.segments[i].size()), tiny.segments[i])) << i;
  }
}

// The 64 bytes of the header stand inside the flatbuffer, behind its first 8: a stock verifier must not mind, and what
// it reads must be what was written.
TEST(Assemble, LeavesAFlatbufferThatTheStockVerifierAccepts) {
  testing::TinyModel tiny = testing::tiny_patch();
  testing::seal(tiny);
  const testing::FileBytes file = testing::pack(tiny);
  const auto* start = reinterpret_cast<const uint8_t*>(file.span().data());
  flatbuffers::Verifier verifier(start, kHeaderBytes + decode_header(file.span()).graph_bytes);
  ASSERT_TRUE(fb::VerifyModelBuffer(verifier));
  const auto read = std::unique_ptr<fb::ModelT>(fb::GetModel(start)->UnPack());
  EXPECT_EQ(read->meta->kind, "patch_net");
  EXPECT_EQ(read->tensors.size(), tiny.model.tensors.size());
  EXPECT_EQ(read->stages[0]->moe->router->capacity_factor, 1.5);
}

// Extents are u64 and read in place, so they must still lie at multiples of 8 behind the inserted header.
TEST(Assemble, KeepsVectorsAligned) {
  testing::TinyModel tiny = testing::tiny_patch();
  testing::seal(tiny);
  const testing::FileBytes file = testing::pack(tiny);
  const fb::Model& model = *fb::GetModel(file.span().data());
  for (const fb::Tensor* tensor : *model.tensors()) {
    EXPECT_EQ(reinterpret_cast<uintptr_t>(tensor->shape()->Data()) % alignof(uint64_t), 0u);
  }
}

}  // namespace
}  // namespace moefb::container
