#include "format/fields.h"

#include <gtest/gtest.h>

#include <cstring>

#include "runtime/format/refusal.h"

namespace moefb::format {
namespace {

using testing::Refusal;
using testing::tiny_patch;
using testing::tiny_sparse;
using testing::TinyModel;

const Refusal kRefusals[] = {
    {"NameOf257Bytes", tiny_sparse, [](TinyModel& t) { t.tensor(0).name.assign(257, 'x'); }, "a name is too long"},
    {"NameWithControlCharacter", tiny_sparse, [](TinyModel& t) { t.model.meta->class_names[1] = "d\x1b[2J"; },
     "a name has a control character"},
    {"NameWithNul", tiny_sparse, [](TinyModel& t) { t.model.values[0]->name = std::string("a\0b", 3); },
     "a name has a control character"},
    {"NameInLatin1", tiny_sparse, [](TinyModel& t) { t.model.meta->producer = "caf\xe9"; }, "a name is not UTF-8"},
    {"ShapeWithoutExtents", tiny_sparse, [](TinyModel& t) { t.model.values[0]->shape.clear(); }, "a shape is missing"},
    {"ShapeOfFiveExtents", tiny_sparse,
     [](TinyModel& t) {
       t.tensor(0).shape = {4, 3, 3, 3, 1};
     },
     "a shape has more than 4 extents"},
    {"ShapeWithZeroExtent", tiny_sparse,
     [](TinyModel& t) {
       t.tensor(0).shape = {4, 0, 3, 3};
     },
     "an extent of a shape is 0 or too large"},
    {"ShapeWithHugeExtent", tiny_sparse,
     [](TinyModel& t) {
       t.tensor(0).shape = {4, (1 << 24) + 1, 3, 3};
     },
     "an extent of a shape is 0 or too large"},
    {"ShapeWithNegativeExtent", tiny_sparse,
     [](TinyModel& t) {
       t.tensor(0).shape = {UINT64_MAX, 3, 3, 3};
     },
     "an extent of a shape is 0 or too large"},
    {"ShapeWhoseProductOverflows", tiny_sparse,
     [](TinyModel& t) {
       t.tensor(0).shape = {1 << 22, 1 << 22, 1 << 22, 1};
     },
     "a shape has too many elements"},
    {"ShapeOfTooManyElements", tiny_sparse,
     [](TinyModel& t) {
       t.tensor(0).shape = {(1 << 21) + 1, 1024, 1, 1};
     },
     "a shape has too many elements"},
};
MOEFB_REFUSALS(Fields, kRefusals);

/// What read_name() makes of `text`.
Status read(const std::string& text, std::string& out) {
  flatbuffers::FlatBufferBuilder builder;
  builder.Finish(builder.CreateString(text));
  return read_name(flatbuffers::GetRoot<flatbuffers::String>(builder.GetBufferPointer()), out);
}

TEST(ReadName, TakesEveryKindOfCharacter) {
  std::string out;
  for (const char* text : {"", "cat", "caf\xc3\xa9", "\xe7\x8c\xab", "\xf0\x9f\x90\x88", "\xed\x9f\xbf", "\xee\x80\x80",
                           "\xf4\x8f\xbf\xbf", "\xc2\x80", "\xe0\xa0\x80", "\xf0\x90\x80\x80"}) {
    EXPECT_TRUE(read(text, out).ok()) << text;
    EXPECT_EQ(out, text);
  }
  EXPECT_TRUE(read(std::string(256, 'x'), out).ok());
  EXPECT_TRUE(read_name(nullptr, out).ok());
  EXPECT_EQ(out, "");
}

TEST(ReadName, RefusesWhatIsNotUtf8) {
  std::string out;
  for (const char* text : {"\x80", "\xc3", "\xc0\xaf", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xe7\x8c",
                           "\xe7\x8c\x41", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff"}) {
    EXPECT_STREQ(read(text, out).text(), "a name is not UTF-8");
  }
}

TEST(ReadName, RefusesControlCharacters) {
  std::string out;
  for (const char* text : {"\n", "a\tb", "\x7f", "\x1b[0m"}) {
    EXPECT_STREQ(read(text, out).text(), "a name has a control character");
  }
}

TEST(ReadOptionalIndex, TestsBothSides) {
  int out = 0;
  EXPECT_TRUE(read_optional_index(-1, 3, "", out).ok());
  EXPECT_EQ(out, -1);
  EXPECT_TRUE(read_optional_index(2, 3, "", out).ok());
  EXPECT_FALSE(read_optional_index(-2, 3, "", out).ok());
  EXPECT_FALSE(read_optional_index(3, 3, "", out).ok());
  EXPECT_FALSE(read_optional_index(INT32_MIN, 3, "", out).ok());
  EXPECT_TRUE(read_optional_index(-1, 0, "", out).ok());
  EXPECT_FALSE(read_optional_index(0, 0, "", out).ok());
}

// The verifier looks at the place of a vector's length, not of its elements.
TEST(ReadElements, RefusesMisalignedVector) {
  testing::FileBytes file = testing::finish(tiny_patch());
  auto* tensor = const_cast<fb::Tensor*>(fb::GetModel(file.span().data())->tensors()->Get(1));
  auto* table = reinterpret_cast<flatbuffers::Table*>(tensor);
  uint8_t* field = table->GetAddressOf(fb::Tensor::VT_SHAPE);
  const auto offset = flatbuffers::ReadScalar<flatbuffers::uoffset_t>(field);
  // Four bytes further the first extent's lower half reads as a length.
  flatbuffers::WriteScalar<flatbuffers::uoffset_t>(field, offset + 4);
  auto* length = const_cast<uint8_t*>(reinterpret_cast<const uint8_t*>(tensor->shape()));
  flatbuffers::WriteScalar<flatbuffers::uoffset_t>(length, 1);
  testing::repair_checksums(file.span());
  testing::expect_refused(file, Code::kCorruptFile, "a vector is misaligned");
}

}  // namespace
}  // namespace moefb::format
