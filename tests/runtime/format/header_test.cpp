#include "format/header.h"

#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <string>
#include <string_view>

#include "runtime/format/refusal.h"

namespace moefb::format {
namespace {

using container::Header;
using testing::expect_refused;
using testing::FileBytes;

FileBytes file_of(std::string_view text) {
  return FileBytes(std::as_bytes(std::span(text)));
}

/// A valid file whose header was changed, its checksum made right again.
FileBytes with_header(const std::function<void(Header&)>& change) {
  FileBytes file = testing::finish(testing::tiny_sparse());
  Header header = container::decode_header(file.span());
  change(header);
  header.header_crc32c = container::header_crc32c(header);
  container::encode_header(header, file.span());
  return file;
}

TEST(ReadHeader, ReadsAValidFile) {
  const FileBytes file = testing::finish(testing::tiny_sparse());
  const auto header = read_header(file.span());
  ASSERT_TRUE(header.ok()) << header.status().text();
  EXPECT_EQ(header->file_bytes, file.size());
}

TEST(ReadHeader, RefusesEmptyFile) {
  expect_refused(file_of(""), Code::kCorruptFile, "the file is empty");
}

TEST(ReadHeader, RefusesTextFile) {
  const char* text = "this is a text file, not a .moefb model";
  expect_refused(file_of("head: sparse\n"), Code::kCorruptFile, text);
  expect_refused(file_of("a"), Code::kCorruptFile, text);
  expect_refused(file_of(std::string(5000, 'x') + "\n"), Code::kCorruptFile, text);
  expect_refused(file_of("<!DOCTYPE html>\r\n<title>caf\xc3\xa9</title>"), Code::kCorruptFile, text);
}

TEST(ReadHeader, RefusesOtherFileType) {
  const char* text = "not a .moefb model: its first bytes are something else";
  expect_refused(file_of(std::string_view("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16)), Code::kCorruptFile, text);
  expect_refused(file_of(std::string_view("\0\0\0\0MOE2", 8)), Code::kCorruptFile, text);
  expect_refused(file_of(std::string_view("\0\0\0\0MOE", 7)), Code::kCorruptFile, text);
}

TEST(ReadHeader, RefusesFileCutInsideHeader) {
  const FileBytes whole = testing::finish(testing::tiny_sparse());
  for (size_t size = 8; size < container::kHeaderBytes; ++size) {
    const FileBytes file(whole.span().first(size));
    expect_refused(file, Code::kCorruptFile, "the file ends inside its header");
  }
}

TEST(ReadHeader, SaysWhichNewerVersionItFound) {
  const FileBytes file = with_header([](Header& header) { header.format_version = 7; });
  expect_refused(file, Code::kVersionMismatch, "the file has a newer format version than this build reads");
  const Status status = read_header(file.span()).status();
  EXPECT_EQ(status.found(), 7);
  EXPECT_EQ(status.expected(), int64_t(container::kFormatVersion));
}

// A newer format may lay its header out otherwise, so its checksum says nothing.
TEST(ReadHeader, LooksAtTheVersionBeforeTheChecksum) {
  FileBytes file = with_header([](Header& header) { header.format_version = 2; });
  file[70] = std::byte{1};
  expect_refused(file, Code::kVersionMismatch, "the file has a newer format version than this build reads");
}

TEST(ReadHeader, RefusesVersionZero) {
  expect_refused(with_header([](Header& header) { header.format_version = 0; }), Code::kCorruptFile,
                 "the format version is 0");
}

TEST(ReadHeader, RefusesUnknownFeature) {
  const FileBytes file = with_header([](Header& header) { header.required_features = uint64_t{1} << 63; });
  expect_refused(file, Code::kUnsupported, "the file needs a feature that this build lacks");
  EXPECT_EQ(read_header(file.span()).status().where(), 63);
}

TEST(ReadHeader, RefusesWrongChecksum) {
  FileBytes file = testing::finish(testing::tiny_sparse());
  file[60] ^= std::byte{1};
  expect_refused(file, Code::kCorruptFile, "the header's checksum differs");
}

TEST(ReadHeader, RefusesFileCutShort) {
  const FileBytes whole = testing::finish(testing::tiny_sparse());
  const FileBytes file(whole.span().first(whole.size() - 1));
  expect_refused(file, Code::kCorruptFile, "the file is cut short");
  EXPECT_EQ(read_header(file.span()).status().expected(), int64_t(whole.size()));
}

TEST(ReadHeader, RefusesTrailingBytes) {
  const FileBytes whole = testing::finish(testing::tiny_sparse());
  std::vector<std::byte> longer(whole.span().begin(), whole.span().end());
  longer.push_back(std::byte{0});
  expect_refused(FileBytes(longer), Code::kCorruptFile, "the file goes on behind its end");
}

TEST(ReadHeader, RefusesOtherHeaderSize) {
  expect_refused(with_header([](Header& header) { header.extended_header_bytes = 72; }), Code::kCorruptFile,
                 "the extended header has another size");
}

TEST(ReadHeader, RefusesReservedBytes) {
  expect_refused(with_header([](Header& header) { header.reserved = uint64_t{1} << 40; }), Code::kCorruptFile,
                 "the header's reserved bytes are not zero");
}

TEST(ReadHeader, RefusesFlatbufferOfTwoGibibytes) {
  for (uint64_t bytes : {uint64_t{1} << 31, kMaxFrontBytes, UINT64_MAX, UINT64_MAX - 71}) {
    expect_refused(with_header([bytes](Header& header) { header.graph_bytes = bytes; }), Code::kCorruptFile,
                   "the flatbuffer is 2 GiB or larger");
  }
}

TEST(ReadHeader, RefusesSegmentsThatStartElsewhere) {
  const char* text = "the segments do not start on the page behind the flatbuffer";
  expect_refused(with_header([](Header& header) { header.segment_base += 4096; }), Code::kCorruptFile, text);
  expect_refused(with_header([](Header& header) { header.segment_base -= 64; }), Code::kCorruptFile, text);
  expect_refused(with_header([](Header& header) { header.graph_bytes += 1 << 20; }), Code::kCorruptFile, text);
}

TEST(ReadHeader, RefusesSegmentsThatDoNotFillTheFile) {
  const char* text = "the segments do not fill the file";
  expect_refused(with_header([](Header& header) { header.segment_bytes -= 1; }), Code::kCorruptFile, text);
  expect_refused(with_header([](Header& header) { header.segment_bytes = UINT64_MAX; }), Code::kCorruptFile, text);
  // The whole flatbuffer claims to be one page longer than the file.
  expect_refused(with_header([](Header& header) {
                   header.segment_base = container::align_up(header.file_bytes + 1, container::kPageBytes);
                   header.graph_bytes = header.segment_base - container::kHeaderBytes;
                 }),
                 Code::kCorruptFile, text);
}

TEST(ReadHeader, RefusesRootOutsideTheFlatbuffer) {
  const char* text = "the flatbuffer's root is outside of it";
  for (uint32_t root : {0u, 8u, 71u, 0x7fffffffu, 0xffffffffu}) {
    expect_refused(with_header([root](Header& header) { header.root_offset = root; }), Code::kCorruptFile, text);
  }
  expect_refused(with_header([](Header& header) { header.graph_bytes = 0; }), Code::kCorruptFile, text);
}

TEST(CheckZeros, SaysWhereTheFirstOtherByteIs) {
  const char bytes[] = {1, 0, 0, 0, 5, 0};
  const auto file = std::as_bytes(std::span(bytes));
  EXPECT_TRUE(check_zeros(file, 1, 4).ok());
  EXPECT_TRUE(check_zeros(file, 3, 3).ok());
  EXPECT_EQ(check_zeros(file, 1, 6).where(), 4);
}

}  // namespace
}  // namespace moefb::format
