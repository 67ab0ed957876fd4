#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "kernels/cpu/kernels.h"
#include "kernels/reference/activation.h"
#include "kernels/values.h"

namespace moefb::kernels::cpu {
namespace {

using test::expect_close;
using test::expect_same_bits;
using test::Expected;
using test::kUnitRoundoff;
using test::random_values;

std::vector<Isa> isas() {
  std::vector<Isa> all = {Isa::kPortable};
  if (best_isa() >= Isa::kAvx2) all.push_back(Isa::kAvx2);
  if (best_isa() >= Isa::kAvx512) all.push_back(Isa::kAvx512);
  return all;
}

/// A layer with its images and addends.
struct Layer {
  int64_t images, pixels, c, groups;
  int addends = 0;
  Activation activation = Activation::kNone, sum_activation = Activation::kNone;
  std::vector<float> src = random_values(images * pixels * c, 1);
  std::vector<float> weight = random_values(c, 2);
  std::vector<float> bias = random_values(c, 3);
  std::vector<std::vector<float>> addend = {};

  GroupNorm norm(Isa isa = best_isa()) {
    for (int k = int(addend.size()); k < addends; ++k) addend.push_back(random_values(images * pixels * c, 4 + k));
    GroupNorm n{};
    n.pixels = pixels, n.c = c, n.groups = groups;
    n.eps = 1e-5f;
    n.weight = weight.data(), n.bias = bias.data();
    n.activation = activation;
    n.addends = addends;
    for (int k = 0; k < addends; ++k) n.addend[k] = addend[size_t(k)].data();
    n.sum_activation = sum_activation;
    n.isa = isa;
    return n;
  }
  std::vector<float> run(Isa isa = best_isa()) {
    std::vector<float> dst(src.size());
    group_norm(norm(isa), src.data(), 0, images, dst.data());
    return dst;
  }
};

double activated(Activation activation, double x) {
  if (activation == Activation::kSilu) return test::silu_exact(x);
  return activation == Activation::kRelu ? std::max(x, 0.0) : x;
}

/// The definition in f64, and what f32 sums over the pixels of a block may be off by.
std::vector<Expected> exact(Layer& layer) {
  const GroupNorm norm = layer.norm();
  const int64_t width = layer.c / layer.groups;
  const double block = double(std::min(layer.pixels, group_norm_block(layer.c)));
  std::vector<Expected> expected;
  for (int64_t at = 0; at < int64_t(layer.src.size()); ++at) {
    const int64_t n = at / (layer.pixels * layer.c), channel = at % layer.c, first = channel / width * width;
    double sum = 0, squares = 0;
    const auto for_each = [&](auto fn) {
      for (int64_t p = 0; p < layer.pixels; ++p) {
        for (int64_t i = first; i < first + width; ++i) {
          fn(double(layer.src[size_t((n * layer.pixels + p) * layer.c + i)]));
        }
      }
    };
    for_each([&](double v) { sum += v; });
    const double count = double(layer.pixels * width), mean = sum / count;
    for_each([&](double v) { squares += (v - mean) * (v - mean); });
    const double weight = layer.weight[size_t(channel)], bias = layer.bias[size_t(channel)];
    const double unit = (layer.src[size_t(at)] - mean) / std::sqrt(squares / count + double(norm.eps));
    double value = activated(layer.activation, unit * weight + bias);
    double size = std::abs(unit * weight) + std::abs(weight) + std::abs(bias);
    if (layer.addends > 0) {
      for (const std::vector<float>& addend : layer.addend) {
        value += double(addend[size_t(at)]);
        size += std::abs(double(addend[size_t(at)]));
      }
      value = activated(layer.sum_activation, value);
    }
    expected.push_back({value, (2 * block + 8) * kUnitRoundoff * size + 1e-12});
  }
  return expected;
}

TEST(FastGroupNorm, MatchesTheDefinitionInDouble) {
  for (const int64_t pixels : {1, 4, 25, 67, 300}) {
    for (const auto& [c, groups] : {std::pair{64, 8}, {8, 8}, {8, 1}, {12, 4}, {3, 3}, {1, 1}, {200, 8}, {2048, 64}}) {
      if (pixels * c > 20'000) continue;
      Layer layer{2, pixels, c, groups};
      SCOPED_TRACE(::testing::Message() << pixels << " pixels, " << c << " channels, " << groups << " groups");
      expect_close(layer.run(), exact(layer));
    }
  }
}

TEST(FastGroupNorm, ActivatesThenAddsThenActivatesTheSum) {
  for (const Activation activation : {Activation::kNone, Activation::kRelu, Activation::kSilu}) {
    for (const Activation of_sum : {Activation::kNone, Activation::kRelu, Activation::kSilu}) {
      for (const int addends : {1, 2, kMaxAddends}) {
        Layer layer{2, 9, 72, 8, addends, activation, of_sum};
        const std::vector<float> dst = layer.run();
        expect_close(dst, exact(layer));
      }
    }
  }
}

TEST(FastGroupNorm, AddsInOrderWithTheNormLast) {
  Layer layer{1, 5, 24, 8, 2, Activation::kSilu};
  const std::vector<float> sum = layer.run();
  layer.addends = 0;
  const std::vector<float> alone = layer.run();
  for (size_t i = 0; i < sum.size(); ++i) {
    ASSERT_EQ(sum[i], (layer.addend[0][i] + layer.addend[1][i]) + alone[i]) << i;
  }
}

TEST(FastGroupNorm, KeepsItsPrecisionFarFromZero) {
  Layer layer{1, 300, 16, 2};
  layer.src = random_values(300 * 16, 5, 1000.0f, 1001.0f);
  expect_close(layer.run(), exact(layer));
}

TEST(FastGroupNorm, OfAConstantIsTheBias) {
  Layer layer{1, 70, 64, 8};
  layer.src.assign(layer.src.size(), 3.3f);
  const std::vector<float> dst = layer.run();
  for (size_t i = 0; i < dst.size(); ++i) ASSERT_NEAR(dst[i], layer.bias[i % 64], 1e-6) << i;
}

TEST(FastGroupNorm, HasTheSameBitsOnEveryInstructionSet) {
  for (const int64_t c : {1, 8, 24, 64, 520}) {
    Layer layer{2, 33, c, c % 8 == 0 ? 8 : 1, 1, Activation::kSilu, Activation::kSilu};
    const std::vector<float> expected = layer.run(Isa::kPortable);
    for (const Isa isa : isas()) expect_same_bits(layer.run(isa), expected);
  }
}

TEST(FastGroupNorm, HasTheSameBitsInTwoStepsHoweverTheseAreShared) {
  for (const int64_t pixels : {1, 63, 64, 65, 200}) {
    Layer layer{1, pixels, 64, 8, 1, Activation::kSilu};
    const std::vector<float> expected = layer.run();
    for (const Isa isa : isas()) {
      const GroupNorm norm = layer.norm(isa);
      const int64_t blocks = group_norm_blocks(pixels, 64), cut = pixels / 3;
      std::vector<Moments> moments(size_t(blocks * 8));
      for (int64_t b = 0; b < blocks; ++b) group_norm_moments(norm, layer.src.data(), b, b + 1, moments.data());
      std::vector<float> dst(layer.src.size());
      group_norm_values(norm, layer.src.data(), moments.data(), cut, pixels, dst.data());
      group_norm_values(norm, layer.src.data(), moments.data(), 0, cut, dst.data());
      expect_same_bits(dst, expected);
    }
  }
}

TEST(FastGroupNorm, WritesItsImagesOnly) {
  Layer layer{3, 4, 8, 2, 1};
  std::vector<float> expected = layer.run();
  std::fill_n(expected.begin(), 4 * 8, 9.0f);
  std::fill_n(expected.begin() + 2 * 4 * 8, 4 * 8, 9.0f);
  std::vector<float> dst(layer.src.size(), 9.0f);
  group_norm(layer.norm(), layer.src.data(), 1, 1, dst.data());  // none
  group_norm(layer.norm(), layer.src.data(), 1, 2, dst.data());
  expect_same_bits(dst, expected);
}

TEST(FastGroupNorm, RunsInPlaceAndOverAnAddend) {
  Layer layer{2, 5, 88, 8, 2, Activation::kSilu};
  const std::vector<float> expected = layer.run();
  std::vector<float> dst = layer.addend[1];
  GroupNorm norm = layer.norm();
  norm.addend[1] = dst.data();
  group_norm(norm, layer.src.data(), 0, 2, dst.data());
  expect_same_bits(dst, expected);
  group_norm(layer.norm(), layer.src.data(), 0, 2, layer.src.data());
  expect_same_bits(layer.src, expected);
}

}  // namespace
}  // namespace moefb::kernels::cpu
