#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "kernels/reference/kernels.h"
#include "kernels/values.h"

namespace moefb::kernels {
namespace {

using test::expect_close;
using test::expect_same_bits;
using test::Expected;
using test::kUnitRoundoff;
using test::random_values;

constexpr float kEps = 1e-5f;

struct Norm {
  int64_t images, pixels, c, groups;
  std::vector<float> src = random_values(images * pixels * c, 1);
  std::vector<float> weight = random_values(c, 2);
  std::vector<float> bias = random_values(c, 3);

  std::vector<float> run(Activation activation = Activation::kNone) const {
    std::vector<float> dst(src.size());
    reference::group_norm(src.data(), pixels, c, groups, kEps, weight.data(), bias.data(), activation, 0, images,
                          dst.data());
    return dst;
  }
};

/// The definition, one value at a time, in f64.
double normalised(const Norm& norm, int64_t n, int64_t pixel, int64_t channel) {
  const int64_t width = norm.c / norm.groups;
  const int64_t first = channel / width * width;
  double sum = 0;
  double squares = 0;
  const auto value = [&](int64_t p, int64_t i) -> double { return norm.src[(n * norm.pixels + p) * norm.c + i]; };
  for (int64_t p = 0; p < norm.pixels; ++p) {
    for (int64_t i = first; i < first + width; ++i) sum += value(p, i);
  }
  const double mean = sum / (norm.pixels * width);
  for (int64_t p = 0; p < norm.pixels; ++p) {
    for (int64_t i = first; i < first + width; ++i) squares += (value(p, i) - mean) * (value(p, i) - mean);
  }
  const double variance = squares / (norm.pixels * width);
  return (value(pixel, channel) - mean) / std::sqrt(variance + kEps) * norm.weight[channel] + norm.bias[channel];
}

std::vector<Expected> exact(const Norm& norm, double (*activation)(double)) {
  std::vector<Expected> expected;
  for (int64_t n = 0; n < norm.images; ++n) {
    for (int64_t pixel = 0; pixel < norm.pixels; ++pixel) {
      for (int64_t i = 0; i < norm.c; ++i) {
        const double value = activation(normalised(norm, n, pixel, i));
        expected.push_back({value, 1e-12 + 8 * kUnitRoundoff * std::abs(value)});
      }
    }
  }
  return expected;
}

double identity(double x) {
  return x;
}

TEST(GroupNorm, MatchesTheDefinitionInDouble) {
  for (int64_t pixels : {1, 4, 25}) {
    for (const auto& [c, groups] : {std::pair{8, 8}, {8, 1}, {12, 4}, {3, 3}, {1, 1}}) {
      const Norm norm{2, pixels, c, groups};
      SCOPED_TRACE(testing::Message() << pixels << " pixels, " << c << " channels, " << groups << " groups");
      expect_close(norm.run(), exact(norm, identity));
    }
  }
}

TEST(GroupNorm, EndsWithItsActivation) {
  const Norm norm{2, 9, 8, 4};
  expect_close(norm.run(Activation::kSilu), exact(norm, test::silu_exact));
  expect_close(norm.run(Activation::kRelu), exact(norm, [](double x) { return std::max(x, 0.0); }));
}

TEST(GroupNorm, KeepsItsPrecisionFarFromZero) {
  Norm norm{1, 50, 4, 2};
  norm.src = random_values(50 * 4, 5, 1000.0f, 1001.0f);
  expect_close(norm.run(), exact(norm, identity));
}

TEST(GroupNorm, OfAConstantIsTheBias) {
  Norm norm{1, 7, 6, 2};
  norm.src.assign(norm.src.size(), 3.3f);
  const std::vector<float> dst = norm.run();
  for (int64_t i = 0; i < 7 * 6; ++i) EXPECT_EQ(dst[i], norm.bias[i % 6]);
}

TEST(GroupNorm, WritesItsImagesOnly) {
  const Norm norm{3, 4, 8, 2};
  std::vector<float> expected = norm.run();
  std::fill_n(expected.begin(), 4 * 8, 9.0f);
  std::fill_n(expected.begin() + 2 * 4 * 8, 4 * 8, 9.0f);
  std::vector<float> dst(norm.src.size(), 9.0f);
  reference::group_norm(norm.src.data(), 4, 8, 2, kEps, norm.weight.data(), norm.bias.data(), Activation::kNone, 1, 2,
                        dst.data());
  expect_same_bits(dst, expected);
}

TEST(GroupNorm, RunsInPlace) {
  Norm norm{2, 5, 8, 4};
  const std::vector<float> expected = norm.run(Activation::kSilu);
  reference::group_norm(norm.src.data(), 5, 8, 4, kEps, norm.weight.data(), norm.bias.data(), Activation::kSilu, 0, 2,
                        norm.src.data());
  expect_same_bits(norm.src, expected);
}

}  // namespace
}  // namespace moefb::kernels
