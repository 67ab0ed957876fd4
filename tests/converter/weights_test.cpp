// Values on their way into the file: rounding, folding, stacking, and the state dict they come from.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "converter/batch_norm.h"
#include "converter/bf16.h"
#include "converter/state_dict.h"
#include "converter/synthetic_weights.h"
#include "converter/temporary_folder.h"
#include "converter/weight_segment.h"

namespace moefb::convert {
namespace {

using testing::contains;
using testing::message_of;
using testing::SyntheticWeights;

float widen(uint16_t bits) {
  return std::bit_cast<float>(uint32_t{bits} << 16);
}

TEST(Bf16, RoundsToTheNearest) {
  EXPECT_EQ(to_bf16(1.0f), 0x3f80);
  EXPECT_EQ(to_bf16(-2.5f), 0xc020);
  EXPECT_EQ(to_bf16(0.0f), 0x0000);
  EXPECT_EQ(to_bf16(-0.0f), 0x8000);
  EXPECT_EQ(to_bf16(std::bit_cast<float>(0x3f808001u)), 0x3f81);  // just above the middle
  EXPECT_EQ(to_bf16(std::bit_cast<float>(0x3f807fffu)), 0x3f80);  // just below
}

TEST(Bf16, TieGoesToEven) {
  EXPECT_EQ(to_bf16(std::bit_cast<float>(0x3f808000u)), 0x3f80);
  EXPECT_EQ(to_bf16(std::bit_cast<float>(0x3f818000u)), 0x3f82);
  EXPECT_EQ(to_bf16(std::bit_cast<float>(0xbf818000u)), 0xbf82);
}

TEST(Bf16, NoNeighbourIsNearer) {
  for (uint32_t bits = 0x3f000000; bits < 0x3f040000; bits += 37) {
    const double value = std::bit_cast<float>(bits);
    const uint16_t rounded = to_bf16(float(value));
    const double error = std::fabs(widen(rounded) - value);
    EXPECT_LE(error, std::fabs(widen(uint16_t(rounded - 1)) - value)) << std::hex << bits;
    EXPECT_LE(error, std::fabs(widen(uint16_t(rounded + 1)) - value)) << std::hex << bits;
  }
}

TEST(FoldBatchNorm, GivesWhatConvolutionAndNormGave) {
  constexpr size_t kChannels = 3, kTaps = 5;
  SyntheticWeights w(11);
  w.add("kernel", {kChannels, kTaps}, 0, 2.0f);
  w.add("pixels", {kTaps}, 0, 2.0f);
  w.add_batch_norm("bn", kChannels);
  const auto values = [&](const char* key) { return w.file.tensors.at(key).to_f32(); };
  const BatchNorm norm = {values("bn.weight"), values("bn.bias"), values("bn.running_mean"), values("bn.running_var")};
  const std::vector<float> kernel = values("kernel"), pixels = values("pixels");
  std::vector<float> folded = kernel;
  const std::vector<float> bias = fold_batch_norm(norm, folded);

  for (size_t c = 0; c < kChannels; ++c) {
    double before = 0, after = bias[c];
    for (size_t i = 0; i < kTaps; ++i) {
      before += double(kernel[c * kTaps + i]) * pixels[i];
      after += double(folded[c * kTaps + i]) * pixels[i];
    }
    const double normed = (before - norm.running_mean[c]) / std::sqrt(double(norm.running_var[c]) + 1e-5);
    const double expected = normed * norm.weight[c] + norm.bias[c];
    // One rounding of each folded weight and of the bias: 2^-24 of their size.
    EXPECT_NEAR(after, expected, 20 * std::ldexp(1.0, -24)) << "channel " << c;
  }
}

TEST(StateDict, HandsOutEachTensorOnceAndCountsParameters) {
  SyntheticWeights w;
  w.add("a", {2, 3});
  w.add("mean", {4});
  w.file.tensors["steps"] = safetensors::Tensor::from_i64({}, std::vector<int64_t>{3});
  StateDict dict(w.file, "f");
  EXPECT_EQ(dict.shape("a", {kAny, 3}), (Extents{2, 3}));
  EXPECT_EQ(dict.parameter("a", {2, 3}), w.file.tensors.at("a").to_f32());
  EXPECT_EQ(dict.buffer("mean", {4}).size(), 4u);
  EXPECT_EQ(dict.parameters(), 6);
  EXPECT_FALSE(dict.has("a"));
  EXPECT_TRUE(contains(message_of([&] { dict.expect_all_taken(); }), "f: tensor \"steps\" is unexpected"));
  dict.skip("steps");
  EXPECT_NO_THROW(dict.expect_all_taken());
}

TEST(StateDict, NamesTensorAndBothShapes) {
  SyntheticWeights w;
  w.add("a", {2, 3});
  StateDict dict(w.file, "f");
  EXPECT_TRUE(contains(message_of([&] {
                         dict.parameter("a", {3, kAny});
                       }),
                       "f: tensor \"a\" has shape (2,3), expected (3,*)"));
  EXPECT_TRUE(contains(message_of([&] { dict.parameter("a", {6}); }), "has shape (2,3), expected (6)"));
  EXPECT_TRUE(contains(message_of([&] { dict.parameter("b", {1}); }), "f: tensor \"b\" is missing"));
}

TEST(StateDict, RefusesExtentsOfZero) {
  SyntheticWeights w;
  w.add("a", {0, 3});
  const StateDict dict(w.file, "f");
  EXPECT_TRUE(contains(message_of([&] { (void)dict.shape("a", {kAny, 3}); }), "has shape (0,3)"));
}

TEST(StateDict, RefusesValuesThatAreNoNumbers) {
  safetensors::File file;
  file.tensors["nan"] = safetensors::Tensor::from_f32({2}, std::vector<float>{0, NAN});
  file.tensors["whole"] = safetensors::Tensor::from_i64({1}, std::vector<int64_t>{1});
  file.tensors["huge"] = safetensors::Tensor::from_f64({1}, std::vector<double>{1e300});
  StateDict dict(file, "f");
  EXPECT_TRUE(contains(message_of([&] { dict.parameter("nan", {2}); }), "tensor \"nan\": element 1 is nan"));
  EXPECT_TRUE(contains(message_of([&] { dict.parameter("whole", {1}); }),
                       "tensor \"whole\": expected a tensor of floats, found I64"));
  EXPECT_TRUE(contains(message_of([&] { dict.parameter("huge", {1}); }), "element 0 is inf"));
}

TEST(StateDict, RefusesTheKeysOfATrainingContainer) {
  for (const std::string prefix : {"model.", "module.", "state_dict."}) {
    SyntheticWeights w;
    w.add(prefix + "stem.0.weight", {1});
    const std::string message = message_of([&] { StateDict(w.file, "f"); });
    EXPECT_TRUE(contains(message, "carries the prefix \"" + prefix + "\"")) << prefix;
    EXPECT_TRUE(contains(message, "trainer import")) << prefix;
  }
}

TEST(StateDict, CountsChildrenWithoutMistakingTenForOne) {
  SyntheticWeights w;
  for (int i = 0; i < 12; ++i) w.add("experts." + std::to_string(i) + ".w", {1});
  w.add("single.0", {1});
  const StateDict dict(w.file, "f");
  EXPECT_EQ(dict.children("experts."), 12);
  EXPECT_EQ(dict.children("single."), 0);
}

std::vector<float> floats_at(const AlignedBytes& data, uint64_t offset, size_t count) {
  std::vector<float> values(count);
  std::memcpy(values.data(), data.bytes().data() + offset, count * sizeof(float));
  return values;
}

TEST(WeightSegment, AlignsTensorsAndFillsGapsWithZeros) {
  WeightSegment segment("f", WeightDtype::kF32);
  const std::vector<float> a = {1, 2, 3}, b = {4};
  EXPECT_EQ(segment.add("a", {3}, a, Role::kMatrix), 0);
  EXPECT_EQ(segment.add("b", {1}, b, Role::kVector), 1);
  EXPECT_EQ(segment.tensor(0).offset, 0u);
  EXPECT_EQ(segment.tensor(1).offset, 64u);
  EXPECT_EQ(segment.tensor(1).count, 1u);
  EXPECT_EQ(segment.tensor(1).stride, 0u);
  const AlignedBytes data = segment.take_data();
  EXPECT_EQ(floats_at(data, 0, 3), a);
  EXPECT_EQ(floats_at(data, 64, 1), b);
  for (size_t i = 12; i < 64; ++i) EXPECT_EQ(data.bytes()[i], std::byte{0}) << i;
}

TEST(WeightSegment, StacksExpertsAtAStrideOf64) {
  WeightSegment segment("f", WeightDtype::kF32);
  std::vector<std::vector<float>> experts(3, std::vector<float>(17));
  for (size_t e = 0; e < 3; ++e) experts[e][16] = float(e + 1);
  const int32_t index = segment.add_stacked("w", {17}, experts, Role::kMatrix);
  const fb::TensorT tensor = segment.tensor(index);
  EXPECT_EQ(tensor.count, 3u);
  EXPECT_EQ(tensor.stride, 128u);
  EXPECT_EQ(tensor.shape, std::vector<uint64_t>{17});
  const AlignedBytes data = segment.take_data();
  EXPECT_EQ(data.size(), 3 * 128u);
  for (size_t e = 0; e < 3; ++e) EXPECT_EQ(floats_at(data, e * 128, 17), experts[e]);
}

TEST(WeightSegment, RoundsMatricesButNotVectors) {
  WeightSegment segment("f", WeightDtype::kBf16);
  const std::vector<float> values = {1.001f};
  EXPECT_EQ(segment.tensor(segment.add("m", {1}, values, Role::kMatrix)).dtype, fb::Dtype::bf16);
  EXPECT_EQ(segment.tensor(segment.add("v", {1}, values, Role::kVector)).dtype, fb::Dtype::f32);
  const AlignedBytes data = segment.take_data();
  uint16_t rounded = 0;
  std::memcpy(&rounded, data.bytes().data(), 2);
  EXPECT_EQ(rounded, to_bf16(1.001f));
  EXPECT_EQ(floats_at(data, 64, 1), values);
}

TEST(WeightSegment, RefusesWhatRoundsToInfinity) {
  const std::vector<float> largest = {std::numeric_limits<float>::max()};
  WeightSegment f32("f", WeightDtype::kF32);
  EXPECT_NO_THROW(f32.add("m", {1}, largest, Role::kMatrix));
  WeightSegment bf16("f", WeightDtype::kBf16);
  EXPECT_TRUE(
      contains(message_of([&] { bf16.add("m", {1}, largest, Role::kMatrix); }), "f: tensor \"m\" is not finite"));
}

}  // namespace
}  // namespace moefb::convert
