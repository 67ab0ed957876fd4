#include "format/front.h"

#include <gtest/gtest.h>

#include <cstring>

#include "format/header.h"
#include "runtime/format/refusal.h"

namespace moefb::format {
namespace {

using testing::expect_refused;
using testing::FileBytes;

TEST(Front, HoldsACopyThatAChangeOfTheFileCannotReach) {
  FileBytes file = testing::finish(testing::tiny_sparse());
  const auto front = Front::copy(file.span(), container::decode_header(file.span()));
  ASSERT_TRUE(front.ok()) << front.status().text();
  std::memset(file.span().data(), 0xFF, file.size());
  EXPECT_EQ(front->model().meta()->kind()->str(), "cifar_e2e");
}

TEST(Front, RefusesWrongChecksum) {
  FileBytes file = testing::finish(testing::tiny_sparse());
  file[container::kHeaderBytes + 100] ^= std::byte{4};
  expect_refused(file, Code::kCorruptFile, "the flatbuffer's checksum differs");
}

TEST(Front, RefusesMalformedFlatbuffer) {
  FileBytes file = testing::finish(testing::tiny_sparse());
  container::Header header = container::decode_header(file.span());
  const uint32_t wild = 0x7fffff00;  // where the root table says its layout is
  std::memcpy(file.span().data() + header.root_offset, &wild, sizeof(wild));
  testing::repair_checksums(file.span());
  expect_refused(file, Code::kCorruptFile, "the flatbuffer is malformed");
}

TEST(Front, RefusesMoreTablesThanAnyModelHas) {
  testing::TinyModel tiny = testing::tiny_sparse();
  for (int i = 0; i < 10000; ++i) tiny.model.values.push_back(std::make_unique<fb::ValueT>(*tiny.model.values[0]));
  expect_refused(testing::finish(std::move(tiny)), Code::kCorruptFile, "the flatbuffer is malformed");
}

// Appended fields of a later writer, under the same format version, are not looked at.
TEST(Front, ReadsAFlatbufferWhoseTablesAreLonger) {
  flatbuffers::FlatBufferBuilder builder;
  const auto kind = builder.CreateString("later");
  const auto start = builder.StartTable();
  builder.AddOffset(fb::Meta::VT_KIND, kind);
  builder.AddElement<uint64_t>(60, 42, 0);
  const auto meta = flatbuffers::Offset<fb::Meta>(builder.EndTable(start));
  fb::FinishModelBuffer(builder, fb::CreateModel(builder, meta));
  const auto graph = std::as_bytes(std::span(builder.GetBufferPointer(), builder.GetSize()));
  const FileBytes file(container::front(graph, 0));
  const auto front = Front::copy(file.span(), container::decode_header(file.span()));
  ASSERT_TRUE(front.ok()) << front.status().text();
  EXPECT_EQ(front->model().meta()->kind()->str(), "later");
}

}  // namespace
}  // namespace moefb::format
