#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>
#include <vector>

#include "kernels/reference/activation.h"
#include "kernels/reference/kernels.h"
#include "kernels/values.h"

namespace moefb::kernels {
namespace {

using test::expect_same_bits;
using test::random_values;

constexpr int64_t kSize = 1000;  // more than one block, with a tail

TEST(Add, SumsItsSourcesInOrder) {
  const std::vector<float> a = random_values(kSize, 1);
  const std::vector<float> b = random_values(kSize, 2);
  const std::vector<float> c = random_values(kSize, 3);
  const float* srcs[] = {a.data(), b.data(), c.data()};
  std::vector<float> dst(kSize);
  std::vector<float> expected(kSize);
  for (int count = 1; count <= 3; ++count) {
    reference::add(srcs, count, Activation::kNone, 0, kSize, dst.data());
    for (int64_t i = 0; i < kSize; ++i) expected[i] = count == 1 ? a[i] : count == 2 ? a[i] + b[i] : a[i] + b[i] + c[i];
    expect_same_bits(dst, expected);
  }
}

TEST(Add, AppliesItsActivationToTheSum) {
  const std::vector<float> a = random_values(kSize, 1);
  const std::vector<float> b = random_values(kSize, 2);
  const float* srcs[] = {a.data(), b.data()};
  std::vector<float> dst(kSize);
  reference::add(srcs, 2, Activation::kRelu, 0, kSize, dst.data());
  for (int64_t i = 0; i < kSize; ++i) ASSERT_EQ(dst[i], std::max(a[i] + b[i], 0.0f));
}

TEST(Add, HasTheBitsOfOneValueAtATime) {
  std::vector<float> values = random_values(kSize, 1, -100.0f, 30.0f);
  const float special[] = {0.0f, -0.0f, NAN, INFINITY, -INFINITY, 3e38f, -3e38f, -87.3f, 87.3f, 1e-40f, -1e-40f};
  std::copy(std::begin(special), std::end(special), values.begin() + 13);
  const float* srcs[] = {values.data()};
  std::vector<float> dst(kSize);
  for (Activation activation : {Activation::kRelu, Activation::kSilu}) {
    reference::add(srcs, 1, activation, 0, kSize, dst.data());
    for (int64_t i = 0; i < kSize; ++i) {
      const float expected = activation == Activation::kRelu ? reference::relu(values[i]) : reference::silu(values[i]);
      if (std::isnan(expected)) {
        ASSERT_TRUE(std::isnan(dst[i])) << "of " << values[i];
      } else {
        ASSERT_EQ(dst[i], expected) << "of " << values[i];
      }
    }
  }
}

TEST(Add, MayWriteOverAnyOfItsSources) {
  const std::vector<float> a = random_values(kSize, 1);
  const std::vector<float> b = random_values(kSize, 2);
  const std::vector<float> c = random_values(kSize, 3);
  const float* apart[] = {a.data(), b.data(), c.data()};
  std::vector<float> expected(kSize);
  reference::add(apart, 3, Activation::kSilu, 0, kSize, expected.data());
  for (int reused = 0; reused < 3; ++reused) {
    std::vector<float> copies[] = {a, b, c};
    const float* srcs[] = {copies[0].data(), copies[1].data(), copies[2].data()};
    reference::add(srcs, 3, Activation::kSilu, 0, kSize, copies[reused].data());
    expect_same_bits(copies[reused], expected);
  }
}

TEST(Add, WritesItsRangeOnly) {
  const std::vector<float> a = random_values(kSize, 1);
  const float* srcs[] = {a.data()};
  for (const auto& [begin, end] : {std::pair{0, 0}, {0, 1}, {3, 700}, {999, 1000}}) {
    std::vector<float> expected(kSize, 9.0f);
    std::copy(a.begin() + begin, a.begin() + end, expected.begin() + begin);
    std::vector<float> dst(kSize, 9.0f);
    reference::add(srcs, 1, Activation::kNone, begin, end, dst.data());
    expect_same_bits(dst, expected);
  }
}

TEST(Layout, ChannelsMoveLastAndBack) {
  constexpr int64_t kImages = 3, kChannels = 5, kPixels = 7;
  const std::vector<float> nchw = random_values(kImages * kChannels * kPixels, 1);
  std::vector<float> nhwc(nchw.size());
  reference::to_channels_last(nchw.data(), kChannels, kPixels, 0, kImages, nhwc.data());
  for (int64_t n = 0; n < kImages; ++n) {
    for (int64_t c = 0; c < kChannels; ++c) {
      for (int64_t p = 0; p < kPixels; ++p) {
        ASSERT_EQ(nhwc[(n * kPixels + p) * kChannels + c], nchw[(n * kChannels + c) * kPixels + p]);
      }
    }
  }
  std::vector<float> back(nchw.size());
  reference::to_channels_first(nhwc.data(), kChannels, kPixels, 0, kImages, back.data());
  expect_same_bits(back, nchw);
}

TEST(Layout, MovesItsImagesOnly) {
  const std::vector<float> src = random_values(3 * 4, 1);
  std::vector<float> dst(3 * 4, 9.0f);
  reference::to_channels_last(src.data(), 2, 2, 1, 2, dst.data());
  expect_same_bits(dst, std::vector<float>{9, 9, 9, 9, src[4], src[6], src[5], src[7], 9, 9, 9, 9});
}

TEST(FinishRows, AddsBiasThenResidualThenActivates) {
  constexpr int64_t kRows = 3, kColumns = 7, kStride = 11;
  const std::vector<float> bias = random_values(kColumns, 1);
  const std::vector<float> residual = random_values(kRows * kStride, 2);
  const std::vector<float> product = random_values(kRows * kStride, 3);
  for (const bool has_bias : {false, true}) {
    for (const bool has_residual : {false, true}) {
      for (Activation activation : {Activation::kNone, Activation::kRelu, Activation::kSilu}) {
        std::vector<float> expected = product;
        for (int64_t row = 0; row < kRows; ++row) {
          float* values = expected.data() + row * kStride;
          for (int64_t c = 0; c < kColumns; ++c) {
            if (has_bias) values[c] += bias[c];
            if (has_residual) values[c] += residual[row * kStride + c];
          }
          reference::activate(activation, values, kColumns);
        }
        std::vector<float> dst = product;
        reference::finish_rows(has_bias ? bias.data() : nullptr, has_residual ? residual.data() : nullptr, activation,
                               kRows, kColumns, kStride, dst.data());
        expect_same_bits(dst, expected);  // what lies between the rows included
      }
    }
  }
}

TEST(ScaleByExpert, WeighsEachExpertsColumnsAndAppendsTheWeights) {
  constexpr int64_t kRows = 4, kExperts = 3, kColumns = 5, kWide = kExperts * (kColumns + 1);
  const std::vector<float> src = random_values(kRows * kExperts * kColumns, 1);
  const std::vector<float> weight = random_values(kRows * kExperts, 2);
  std::vector<float> dst(kRows * kWide, -7.0f);
  std::vector<float> expected = dst;
  for (int64_t row = 1; row < 3; ++row) {
    for (int64_t e = 0; e < kExperts; ++e) {
      const float w = weight[row * kExperts + e];
      for (int64_t c = 0; c < kColumns; ++c) {
        expected[row * kWide + e * kColumns + c] = w * src[(row * kExperts + e) * kColumns + c];
      }
      expected[row * kWide + kExperts * kColumns + e] = w;
    }
  }
  reference::scale_by_expert(src.data(), weight.data(), kExperts, kColumns, 1, 3, dst.data());
  expect_same_bits(dst, expected);
}

}  // namespace
}  // namespace moefb::kernels
