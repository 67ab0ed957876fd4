#include "format/tensors.h"

#include <gtest/gtest.h>

#include <cstring>
#include <limits>

#include "runtime/format/refusal.h"

namespace moefb::format {
namespace {

using testing::Refusal;
using testing::tiny_sparse;
using testing::TinyModel;

// Of tiny_sparse().
constexpr size_t kConv = 0;     // (4, 3, 3, 3) f32
constexpr size_t kBlock = 2;    // (4, 4, 1, 1) bf16
constexpr size_t kExperts = 5;  // 3 times (5, 4) bf16
constexpr size_t kLast = 8;     // 3 times (2) f32, at the end of the segment

void put(TinyModel& tiny, size_t tensor, uint64_t byte, const void* bits, size_t size) {
  std::memcpy(tiny.data(tiny.tensor(tensor)) + byte, bits, size);
}

const Refusal kRefusals[] = {
    {"UnknownDtype", tiny_sparse, [](TinyModel& t) { t.tensor(kConv).dtype = fb::Dtype(3); },
     "a tensor's dtype is unknown"},
    {"CountOfZero", tiny_sparse, [](TinyModel& t) { t.tensor(kConv).count = 0; }, "a tensor's count is 0 or too large"},
    {"CountThatIsHuge", tiny_sparse, [](TinyModel& t) { t.tensor(kExperts).count = UINT64_MAX; },
     "a tensor's count is 0 or too large"},
    {"StrideOfOneExpert", tiny_sparse, [](TinyModel& t) { t.tensor(kConv).stride = 64; },
     "a tensor of count 1 has a stride"},
    {"StrideOffSixtyFour", tiny_sparse, [](TinyModel& t) { t.tensor(kExperts).stride = 96; },
     "a tensor's stride is not a multiple of 64"},
    {"StrideShorterThanAnExpert", tiny_sparse,
     [](TinyModel& t) {
       t.tensor(kExperts).shape = {10, 4};
     },
     "a tensor's stride is less than one expert's bytes"},
    {"StrideOfZero", tiny_sparse, [](TinyModel& t) { t.tensor(kExperts).stride = 0; },
     "a tensor's stride is less than one expert's bytes"},
    {"StrideThatIsNegative", tiny_sparse, [](TinyModel& t) { t.tensor(kExperts).stride = UINT64_MAX - 63; },
     "a tensor's stride is too large"},
    {"SegmentThatDoesNotExist", tiny_sparse, [](TinyModel& t) { t.tensor(kConv).segment = 2; },
     "a tensor's segment does not exist"},
    {"WeightInGoldenSegment", tiny_sparse, [](TinyModel& t) { t.tensor(kConv).segment = 1; },
     "a tensor lies in a segment of another kind"},
    {"OffsetOffSixtyFour", tiny_sparse, [](TinyModel& t) { t.tensor(kConv).offset = 32; },
     "a tensor does not start at a multiple of 64"},
    {"OffsetBehindSegment", tiny_sparse, [](TinyModel& t) { t.tensor(kConv).offset = UINT64_MAX - 63; },
     "a tensor reaches behind the end of its segment"},
    {"SizeBehindSegment", tiny_sparse, [](TinyModel& t) { t.tensor(kConv).shape = {1 << 20}; },
     "a tensor reaches behind the end of its segment"},
    {"LastExpertBehindSegment", tiny_sparse, [](TinyModel& t) { t.tensor(kLast).count = 4; },
     "a tensor reaches behind the end of its segment"},
    {"StrideTimesCountThatOverflows", tiny_sparse, [](TinyModel& t) { t.tensor(kLast).stride = uint64_t{1} << 62; },
     "a tensor reaches behind the end of its segment"},
    {"LastElementBehindSegment", tiny_sparse, [](TinyModel& t) { t.segments[0].pop_back(); },
     "a tensor reaches behind the end of its segment"},
    {"InfiniteF32", tiny_sparse,
     [](TinyModel& t) {
       const float number = std::numeric_limits<float>::infinity();
       put(t, kConv, 107 * 4, &number, 4);
     },
     "a tensor has an element that is not finite"},
    {"NanInBf16", tiny_sparse,
     [](TinyModel& t) {
       const uint16_t bits = 0x7FC1;
       put(t, kBlock, 0, &bits, 2);
     },
     "a tensor has an element that is not finite"},
    {"NanInLastExpert", tiny_sparse,
     [](TinyModel& t) {
       const uint16_t bits = 0xFFC0;
       put(t, kExperts, 2 * t.tensor(kExperts).stride + 19 * 2, &bits, 2);
     },
     "a tensor has an element that is not finite"},
    {"TensorsOfTheSameBytes", tiny_sparse, [](TinyModel& t) { t.tensor(kConv + 1).offset = t.tensor(kConv).offset; },
     "two tensors overlap"},
    {"TensorBetweenExperts", tiny_sparse,
     [](TinyModel& t) { t.tensor(kConv + 1).offset = t.tensor(kExperts).offset + 64; }, "two tensors overlap"},
};
MOEFB_REFUSALS(Tensors, kRefusals);

TEST(TensorReader, PointsIntoTheFile) {
  TinyModel tiny = tiny_sparse();
  const testing::FileBytes file = testing::finish(tiny);
  const auto graph = read_graph(file.span(), true);
  ASSERT_TRUE(graph.ok()) << graph.status().text();
  const graph::Tensor& tensor = (*graph)->tensors[kExperts];
  EXPECT_EQ(tensor.name, "experts.0.weight");
  EXPECT_EQ(tensor.dtype, Dtype::kBf16);
  EXPECT_EQ(tensor.shape, (Shape{2, {5, 4}}));
  EXPECT_EQ(tensor.count, 3);
  EXPECT_EQ(tensor.stride, 64);
  const std::byte* expected = tiny.data(tiny.tensor(kExperts)) + 2 * 64;
  EXPECT_EQ(std::memcmp(tensor.expert(2), expected, 40), 0);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(tensor.data) % 64, 0u);
}

TEST(TensorReader, NamesTheElementThatIsNotFinite) {
  TinyModel tiny = tiny_sparse();
  const uint16_t bits = 0x7F80;
  put(tiny, kExperts, 64 + 3 * 2, &bits, 2);
  const testing::FileBytes file = testing::finish(tiny);
  const Status status = read_graph(file.span(), true).status();
  EXPECT_EQ(status.where(), int64_t(kExperts));
  EXPECT_EQ(status.found(), 20 + 3);
}

// Without checksums a damaged weight that is still a number is not seen, but one that is none is.
TEST(TensorReader, ChecksFinitenessWithoutChecksumsToo) {
  testing::FileBytes file = testing::finish(tiny_sparse());
  const uint64_t base = container::decode_header(file.span()).segment_base;
  file[base + 3] = std::byte{0x7F};
  file[base + 2] = std::byte{0x80};
  EXPECT_STREQ(read_graph(file.span(), false).status().text(), "a tensor has an element that is not finite");
}

}  // namespace
}  // namespace moefb::format
