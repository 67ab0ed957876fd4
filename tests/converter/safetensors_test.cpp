#include "converter/safetensors.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "converter/atomic_file.h"
#include "converter/temporary_folder.h"

namespace moefb::safetensors {
namespace {

using ::moefb::testing::contains;
using ::moefb::testing::message_of;
using ::moefb::testing::TemporaryFolder;

std::vector<std::byte> file_bytes(const std::string& header, size_t data_bytes) {
  const uint64_t length = header.size();
  std::vector<std::byte> bytes(8 + header.size() + data_bytes);
  std::memcpy(bytes.data(), &length, 8);
  std::memcpy(bytes.data() + 8, header.data(), header.size());
  for (size_t i = 0; i < data_bytes; ++i) bytes[8 + header.size() + i] = std::byte(i);
  return bytes;
}

File parse_text(const std::string& header, size_t data_bytes) {
  return parse(file_bytes(header, data_bytes), "f");
}

std::string refusal(const std::string& header, size_t data_bytes) {
  return message_of([&] { parse_text(header, data_bytes); });
}

TEST(SafetensorsRead, FindsTensorsAndMetadata) {
  const File file = parse_text(
      R"({"__metadata__":{"seed":"7"},"b":{"dtype":"U8","shape":[],"data_offsets":[0,1]},)"
      R"("a":{"dtype":"I16","shape":[2,1],"data_offsets":[1,5]},"none":{"dtype":"F32","shape":[0,3],"data_offsets":[5,5]}})",
      5);
  ASSERT_EQ(file.tensors.size(), 3u);
  EXPECT_EQ(file.metadata.at("seed"), "7");
  EXPECT_EQ(file.tensors.at("b").to_i64(), std::vector<int64_t>{0});
  EXPECT_EQ(file.tensors.at("b").elements(), 1);
  EXPECT_EQ(file.tensors.at("a").shape, (std::vector<int64_t>{2, 1}));
  EXPECT_EQ(file.tensors.at("a").to_i64(), (std::vector<int64_t>{0x0201, 0x0403}));  // misaligned in the file
  EXPECT_EQ(file.tensors.at("none").elements(), 0);
}

TEST(SafetensorsRead, AcceptsSpacesAfterTheHeader) {
  EXPECT_TRUE(parse_text("{}      ", 0).tensors.empty());
}

struct Refusal {
  const char* name;
  const char* header;
  size_t data_bytes;
  const char* message;
};

class SafetensorsRefuses : public ::testing::TestWithParam<Refusal> {};

TEST_P(SafetensorsRefuses, Header) {
  EXPECT_TRUE(contains(refusal(GetParam().header, GetParam().data_bytes), GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    , SafetensorsRefuses,
    ::testing::Values(
        Refusal{"Hole", R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})", 2, "hole that begins at 0"},
        Refusal{
            "Overlap",
            R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})",
            3, "\"b\" begins at 1, inside the tensor that ends at 2"},
        Refusal{"TrailingBytes", R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", 2, "1 trailing bytes"},
        Refusal{"MissingData", R"({"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}})", 2, "cut short"},
        Refusal{
            "DuplicateTensor",
            R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})",
            1, "key \"a\" appears twice"},
        Refusal{"DuplicateField", R"({"a":{"dtype":"U8","dtype":"I8","shape":[1],"data_offsets":[0,1]}})", 1,
                "key \"dtype\" appears twice"},
        Refusal{"NumberAsMetadata", R"({"__metadata__":{"seed":7}})", 0,
                "metadata \"seed\": expected a string, found 7"},
        Refusal{"ListAsMetadata", R"({"__metadata__":[]})", 0, "__metadata__ is not an object"},
        Refusal{"UnknownDtype", R"({"a":{"dtype":"F8","shape":[1],"data_offsets":[0,1]}})", 1, "unknown dtype \"F8\""},
        Refusal{"NumberAsDtype", R"({"a":{"dtype":8,"shape":[1],"data_offsets":[0,1]}})", 1, "unknown dtype 8"},
        Refusal{"WrongSize", R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 4,
                "do not span the 8 bytes of F32 [2]"},
        Refusal{"BackwardOffsets", R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[1,0]}})", 1, "do not span"},
        Refusal{"NegativeExtent", R"({"a":{"dtype":"U8","shape":[-2],"data_offsets":[0,1]}})", 1, "found -2"},
        Refusal{"FractionalExtent", R"({"a":{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}})", 1, "found 1.0"},
        Refusal{"NegativeOffset", R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[-1,0]}})", 1, "found -1"},
        Refusal{"HugeExtent", R"({"a":{"dtype":"U8","shape":[18446744073709551615],"data_offsets":[0,1]}})", 1,
                "found 18446744073709551615"},
        Refusal{"OverflowingShape", R"({"a":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0]}})", 0,
                "shape is too large"},
        Refusal{"ThreeOffsets", R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1,1]}})", 1, "not a pair"},
        Refusal{"ShapeNotAList", R"({"a":{"dtype":"U8","shape":1,"data_offsets":[0,1]}})", 1, "shape is not a list"},
        Refusal{"MissingField", R"({"a":{"dtype":"U8","shape":[1]}})", 1,
                "expected exactly dtype, shape and data_offsets"},
        Refusal{"TensorNotAnObject", R"({"a":[1,2,3]})", 0, "expected exactly"},
        Refusal{"HeaderNotAnObject", R"(["a"])", 0, "does not start with '{'"},
        Refusal{"LeadingSpace", " {}", 0, "does not start with '{'"},
        Refusal{"EmptyHeader", "", 0, "does not start with '{'"},
        Refusal{"TextAfterTheObject", "{} x", 0, "not valid JSON"}, Refusal{"CutJson", R"({"a":)", 0, "not valid JSON"},
        Refusal{"NotUtf8", "{\"\xff\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "not valid JSON"},
        Refusal{"DeepNesting", R"({"a":{"dtype":[[[[[]]]]]}})", 0, "nested deeper"}),
    [](const auto& info) { return info.param.name; });

TEST(SafetensorsRead, RefusesEveryTruncation) {
  const std::vector<std::byte> whole = file_bytes(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})", 4);
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_NE(message_of([&] { parse(std::span(whole).first(size), "f"); }), "") << size << " bytes";
  }
}

TEST(SafetensorsRead, RefusesDeepNestingBeforeAnyStackIsFull) {
  std::string header = "{\"a\":";
  for (int i = 0; i < 100'000; ++i) header += "[{\"a\":";
  EXPECT_EQ(refusal(header, 0), "f: header: nested deeper than 3 levels");
}

// The product of the other extents need not fit 64 bits.
TEST(SafetensorsRead, CountsNoElementsWhereAnyExtentIsZero) {
  const File file = parse_text(R"({"a":{"dtype":"F32","shape":[4611686018427387904,8,0,3],"data_offsets":[0,0]}})", 0);
  EXPECT_EQ(file.tensors.at("a").elements(), 0);
  EXPECT_TRUE(file.tensors.at("a").to_f32().empty());
}

TEST(SafetensorsRead, RefusesHeaderLengthsThatCannotBe) {
  std::vector<std::byte> bytes = file_bytes("{}", 0);
  bytes[0] = std::byte{3};
  EXPECT_TRUE(contains(message_of([&] { parse(bytes, "f"); }), "cut short: header of 3 bytes in a file of 10"));
  std::memset(bytes.data(), 0xff, 8);
  EXPECT_TRUE(
      contains(message_of([&] { parse(bytes, "f"); }), "f: not a safetensors file: header of 18446744073709551615"));
}

TEST(SafetensorsRead, NamesTheFileItCannotOpen) {
  EXPECT_TRUE(contains(message_of([] { read("/nowhere/x.safetensors"); }), "/nowhere/x.safetensors: cannot read"));
}

TEST(SafetensorsWrite, ReadsBackWhatItWrote) {
  const TemporaryFolder folder;
  File file;
  file.metadata["origin"] = "a \"quoted\" text, \xc3\xa9";
  file.tensors["f"] = Tensor::from_f32({2, 2}, std::vector<float>{1.5f, -0.0f, 3e-42f, 1e38f});
  file.tensors["d"] = Tensor::from_f64({}, std::vector<double>{0.1});
  file.tensors["i"] = Tensor::from_i64({1}, std::vector<int64_t>{std::numeric_limits<int64_t>::min()});
  file.tensors["a.flags"] = Tensor::from_u8({3}, std::vector<uint8_t>{0, 1, 255});
  file.tensors["empty"] = Tensor::from_f32({0, 7}, {});
  write(folder / "x.safetensors", file);

  const File back = read(folder / "x.safetensors");
  EXPECT_EQ(back.metadata, file.metadata);
  ASSERT_EQ(back.tensors.size(), file.tensors.size());
  for (const auto& [name, tensor] : file.tensors) {
    EXPECT_EQ(back.tensors.at(name).dtype, tensor.dtype) << name;
    EXPECT_EQ(back.tensors.at(name).shape, tensor.shape) << name;
    EXPECT_EQ(back.tensors.at(name).data, tensor.data) << name;
  }
}

TEST(SafetensorsWrite, AlignsEveryTensorToItsElements) {
  const TemporaryFolder folder;
  File file;
  file.tensors["a"] = Tensor::from_u8({3}, std::vector<uint8_t>{1, 2, 3});
  file.tensors["b"] = Tensor::from_f32({1}, std::vector<float>{1});
  file.tensors["c"] = Tensor::from_i64({1}, std::vector<int64_t>{1});
  write(folder / "x", file);
  const std::vector<std::byte> bytes = read_file(folder / "x");
  uint64_t header_bytes = 0;
  std::memcpy(&header_bytes, bytes.data(), 8);
  EXPECT_EQ(header_bytes % 8, 0u);
  const std::string header(reinterpret_cast<const char*>(bytes.data()) + 8, header_bytes);
  EXPECT_TRUE(contains(header, R"("c":{"data_offsets":[0,8])"));
  EXPECT_TRUE(contains(header, R"("b":{"data_offsets":[8,12])"));
  EXPECT_TRUE(contains(header, R"("a":{"data_offsets":[12,15])"));
}

TEST(SafetensorsWrite, RefusesWhatItCouldNotReadBack) {
  const TemporaryFolder folder;
  const auto refusal_of = [&](const std::string& name, Tensor tensor) {
    File file;
    file.tensors[name] = std::move(tensor);
    return message_of([&] { write(folder / "x", file); });
  };
  Tensor short_data = Tensor::from_u8({3}, std::vector<uint8_t>{1, 2, 3});
  short_data.data.pop_back();
  EXPECT_TRUE(contains(refusal_of("a", short_data), "tensor \"a\": holds 2 bytes, its shape needs 3"));
  EXPECT_TRUE(contains(refusal_of("a", Tensor{"F8", {}, {}}), "unknown dtype F8"));
  EXPECT_TRUE(contains(refusal_of("a", Tensor{"U8", {-1, -1}, {std::byte{1}}}), "negative extent"));
  EXPECT_TRUE(contains(refusal_of("__metadata__", Tensor::from_u8({}, std::vector<uint8_t>{1})), "reserved"));
  EXPECT_TRUE(contains(refusal_of("\xff", Tensor::from_u8({}, std::vector<uint8_t>{1})), "UTF-8"));
  EXPECT_EQ(folder.file_count(), 0u);
}

TEST(SafetensorsTensor, RefusesAnotherNumberOfValuesThanItsShape) {
  EXPECT_THROW(Tensor::from_f32({2, 2}, std::vector<float>{1, 2, 3}), std::invalid_argument);
}

Tensor of_bits(const char* dtype, std::vector<uint16_t> bits) {
  Tensor tensor{dtype, {static_cast<int64_t>(bits.size())}, {}};
  const auto bytes = std::as_bytes(std::span(bits));
  tensor.data.assign(bytes.begin(), bytes.end());
  return tensor;
}

TEST(SafetensorsTensor, WidensHalfPrecision) {
  const std::vector<float> half =
      of_bits("F16", {0x3c00, 0xc000, 0x7bff, 0x0400, 0x0001, 0x8000, 0x7c00, 0x7e00}).to_f32();
  EXPECT_EQ(half[0], 1.0f);
  EXPECT_EQ(half[1], -2.0f);
  EXPECT_EQ(half[2], 65504.0f);
  EXPECT_EQ(half[3], std::ldexp(1.0f, -14));
  EXPECT_EQ(half[4], std::ldexp(1.0f, -24));
  EXPECT_TRUE(half[5] == 0 && std::signbit(half[5]));
  EXPECT_EQ(half[6], std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::isnan(half[7]));
  EXPECT_EQ(of_bits("BF16", {0x3f80, 0xc040}).to_f32(), (std::vector<float>{1.0f, -3.0f}));
}

TEST(SafetensorsTensor, RefusesToReadOneKindAsTheOther) {
  EXPECT_TRUE(contains(message_of([] { (void)Tensor::from_i64({}, std::vector<int64_t>{1}).to_f32(); }), "found I64"));
  EXPECT_TRUE(contains(message_of([] { (void)Tensor::from_f32({}, std::vector<float>{1}).to_i64(); }), "found F32"));
}

}  // namespace
}  // namespace moefb::safetensors
