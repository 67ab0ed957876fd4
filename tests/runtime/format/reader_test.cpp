#include "format/reader.h"

#include <gtest/gtest.h>

#include "runtime/format/refusal.h"

namespace moefb::format {
namespace {

using testing::FileBytes;

TEST(ReadGraph, ReadsBothFamilies) {
  testing::expect_accepted(testing::finish(testing::tiny_sparse()));
  testing::expect_accepted(testing::finish(testing::tiny_patch()));
}

TEST(ReadGraph, TellsWhatTheFileIs) {
  const FileBytes file = testing::finish(testing::tiny_sparse());
  const auto graph = read_graph(file.span(), true);
  ASSERT_TRUE(graph.ok()) << graph.status().text();
  EXPECT_EQ((*graph)->file_bytes, file.size());
  EXPECT_EQ((*graph)->format_version, container::kFormatVersion);
  EXPECT_EQ((*graph)->graph_crc32c, container::decode_header(file.span()).graph_crc32c);
  EXPECT_EQ((*graph)->input, 0);
  EXPECT_EQ((*graph)->output, 5);
  EXPECT_EQ((*graph)->stages.size(), 5u);
}

// The Graph owns all but bulk data: names and shapes stay when the front of the file changes under it.
TEST(ReadGraph, OwnsItsTables) {
  FileBytes file = testing::finish(testing::tiny_sparse());
  const auto graph = read_graph(file.span(), true);
  ASSERT_TRUE(graph.ok()) << graph.status().text();
  const size_t front = container::decode_header(file.span()).segment_base;
  for (size_t i = 0; i < front; ++i) file[i] = std::byte{0xFF};
  EXPECT_EQ((*graph)->meta.kind, "cifar_e2e");
  EXPECT_EQ((*graph)->values[5].shape, (Shape{1, {2}}));
}

TEST(ReadGraph, RefusesBytesThatAreNotAlignedTo64) {
  const FileBytes file = testing::finish(testing::tiny_sparse());
  std::vector<std::byte> shifted(64, std::byte{0});
  shifted.insert(shifted.end(), file.span().begin(), file.span().end());
  const FileBytes moved(shifted);
  EXPECT_TRUE(read_graph(moved.span().subspan(64), true).ok());
  const Status status = read_graph(moved.span().subspan(32), true).status();
  EXPECT_EQ(status.code(), Code::kInvalidArgument);
  EXPECT_STREQ(status.text(), "the file's bytes are not aligned to 64");
}

}  // namespace
}  // namespace moefb::format
