#include "format/segments.h"

#include <gtest/gtest.h>

#include "format/header.h"
#include "runtime/format/refusal.h"

namespace moefb::format {
namespace {

using testing::expect_refused;
using testing::FileBytes;
using testing::TinyModel;

TinyModel sealed() {
  TinyModel tiny = testing::tiny_sparse();
  testing::seal(tiny);
  return tiny;
}

/// A file whose segment table was changed after it was filled in.
FileBytes with_segment(size_t index, void (*change)(fb::SegmentT& segment)) {
  TinyModel tiny = sealed();
  change(*tiny.model.segments[index]);
  return testing::pack(tiny);
}

TEST(ReadSegments, GivesOffsetsInTheFile) {
  const FileBytes file = testing::pack(sealed());
  const auto graph = read_graph(file.span(), true);
  ASSERT_TRUE(graph.ok()) << graph.status().text();
  const auto& segments = (*graph)->segments;
  ASSERT_EQ(segments.size(), 2u);
  EXPECT_EQ(segments[0].offset, container::decode_header(file.span()).segment_base);
  EXPECT_EQ(segments[1].offset + segments[1].bytes, file.size());
  EXPECT_EQ(segments[1].kind, uint8_t(fb::SegmentKind::golden));
}

TEST(ReadSegments, RefusesUnknownKind) {
  expect_refused(with_segment(0, [](fb::SegmentT& s) { s.kind = fb::SegmentKind(3); }), Code::kCorruptFile,
                 "a segment's kind is unknown");
}

TEST(ReadSegments, RefusesSegmentOffPage) {
  expect_refused(with_segment(1, [](fb::SegmentT& s) { s.offset += 64; }), Code::kCorruptFile,
                 "a segment does not start on a page");
}

TEST(ReadSegments, RefusesOverlap) {
  expect_refused(with_segment(1, [](fb::SegmentT& s) { s.offset -= 4096; }), Code::kCorruptFile,
                 "a segment overlaps the one before");
}

TEST(ReadSegments, RefusesSegmentsOutOfOrder) {
  TinyModel tiny = sealed();
  std::swap(tiny.model.segments[0], tiny.model.segments[1]);
  expect_refused(testing::pack(tiny), Code::kCorruptFile, "padding is not zero");
  tiny = testing::tiny_sparse();
  tiny.segments[0].clear();
  tiny.segments[0].resize(1);  // zero, so that it passes as padding
  testing::seal(tiny);
  std::swap(tiny.model.segments[0], tiny.model.segments[1]);
  expect_refused(testing::pack(tiny), Code::kCorruptFile, "a segment overlaps the one before");
}

TEST(ReadSegments, RefusesEmptySegment) {
  expect_refused(with_segment(0, [](fb::SegmentT& s) { s.bytes = 0; }), Code::kCorruptFile, "a segment is empty");
}

TEST(ReadSegments, RefusesSegmentBehindTheEnd) {
  const char* text = "a segment reaches behind the end of the file";
  expect_refused(with_segment(1, [](fb::SegmentT& s) { s.bytes += 1; }), Code::kCorruptFile, text);
  expect_refused(with_segment(1, [](fb::SegmentT& s) { s.bytes = UINT64_MAX; }), Code::kCorruptFile, text);
  expect_refused(with_segment(1, [](fb::SegmentT& s) { s.offset = UINT64_MAX - 4095; }), Code::kCorruptFile, text);
  expect_refused(with_segment(1, [](fb::SegmentT& s) { s.offset += 4096; }), Code::kCorruptFile, text);
}

TEST(ReadSegments, RefusesBytesThatNoSegmentClaims) {
  expect_refused(with_segment(1,
                              [](fb::SegmentT& s) {
                                s.bytes -= 1;
                                s.crc32c = 0;
                              }),
                 Code::kCorruptFile, "a segment's checksum differs");
  TinyModel tiny = sealed();
  tiny.model.segments.pop_back();
  tiny.model.goldens.clear();
  expect_refused(testing::pack(tiny), Code::kCorruptFile, "bytes behind the last segment");
}

TEST(ReadSegments, RefusesPaddingThatIsNotZero) {
  const char* text = "padding is not zero";
  FileBytes file = testing::pack(sealed());
  const container::Header header = container::decode_header(file.span());
  const size_t behind_graph = container::kHeaderBytes + header.graph_bytes;
  file[behind_graph] = std::byte{1};
  expect_refused(file, Code::kCorruptFile, text);
  EXPECT_EQ(read_graph(file.span(), true).status().where(), int64_t(behind_graph));

  file = testing::pack(sealed());
  const size_t behind_weights = header.segment_base + sealed().segments[0].size();
  file[behind_weights] = std::byte{1};
  expect_refused(file, Code::kCorruptFile, text);
  EXPECT_EQ(read_graph(file.span(), true).status().where(), int64_t(behind_weights));
}

TEST(ReadSegments, NamesTheSegmentWhoseChecksumDiffers) {
  FileBytes file = testing::pack(sealed());
  file[file.size() - 1] ^= std::byte{1};
  expect_refused(file, Code::kCorruptFile, "a segment's checksum differs");
  EXPECT_EQ(read_graph(file.span(), true).status().where(), 1);
}

TEST(ReadSegments, TrustsChecksumsOnlyWhenTold) {
  TinyModel tiny = sealed();
  tiny.model.segments[0]->crc32c ^= 1;
  const FileBytes file = testing::pack(tiny);
  EXPECT_FALSE(read_graph(file.span(), true).ok());
  EXPECT_TRUE(read_graph(file.span(), false).ok());
}

// A packed segment is a cache: read past, but still part of the file and its checksums.
TEST(ReadSegments, ReadsPastAPackedSegment) {
  TinyModel tiny = testing::tiny_sparse();
  tiny.model.segments.push_back(std::make_unique<fb::SegmentT>());
  tiny.model.segments.back()->kind = fb::SegmentKind::packed;
  tiny.model.segments.back()->isa = "avx512";
  tiny.model.segments.back()->packer_version = 3;
  tiny.segments.emplace_back(100, std::byte{0xFF});
  testing::seal(tiny);
  testing::expect_accepted(testing::pack(tiny));
  tiny.model.segments.back()->crc32c ^= 1;
  expect_refused(testing::pack(tiny), Code::kCorruptFile, "a segment's checksum differs");
}

TEST(ReadSegments, RefusesPackedSegmentForNoMachine) {
  expect_refused(with_segment(1, [](fb::SegmentT& s) { s.kind = fb::SegmentKind::packed; }), Code::kCorruptFile,
                 "a packed segment does not say for which instruction set");
}

TEST(ReadSegments, RefusesPackerOfPlainSegment) {
  const char* text = "a segment that is not packed names an instruction set or packer";
  expect_refused(with_segment(0, [](fb::SegmentT& s) { s.isa = "avx2"; }), Code::kCorruptFile, text);
  expect_refused(with_segment(0, [](fb::SegmentT& s) { s.packer_version = 1; }), Code::kCorruptFile, text);
}

}  // namespace
}  // namespace moefb::format
