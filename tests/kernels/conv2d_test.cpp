// conv2d against plain loops: in f64 for its values, in f32 for the order of its sums.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <string>
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

/// A convolution with random tensors; weights as published, (O, I, KH, KW).
struct Problem {
  Window window;
  int64_t n;
  std::vector<float> src, weights, packed, bias, residual;

  Problem(int64_t n, int64_t h, int64_t w, int64_t c, int64_t o, int64_t kh, int64_t kw, int64_t stride,
          int64_t padding)
      : n(n) {
    window = {.h = h, .w = w, .c = c, .o = o, .kh = kh, .kw = kw, .stride = stride, .padding = padding};
    window.oh = (h + 2 * padding - kh) / stride + 1;
    window.ow = (w + 2 * padding - kw) / stride + 1;
    src = random_values(n * h * w * c, 1);
    weights = random_values(o * c * kh * kw, 2);
    bias = random_values(o, 3);
    residual = random_values(outputs(), 4);
    pack();
  }

  void pack() {
    packed.resize(weights.size());
    reference::pack_conv2d(weights.data(), window.o, window.c, window.kh, window.kw, packed.data());
  }
  int64_t rows() const { return n * window.oh; }
  int64_t outputs() const { return rows() * window.ow * window.o; }

  void run(Activation activation, int64_t row_begin, int64_t row_end, std::vector<float>& dst) const {
    reference::conv2d(window, src.data(), packed.data(), bias.data(), residual.data(), activation, row_begin, row_end,
                      dst.data());
  }
  std::vector<float> run(Activation activation = Activation::kNone) const {
    std::vector<float> dst(outputs(), -77.0f);
    run(activation, 0, rows(), dst);
    return dst;
  }

  std::string name() const {
    const Window& w = window;
    return std::to_string(n) + " images " + std::to_string(w.h) + "x" + std::to_string(w.w) + "x" +
           std::to_string(w.c) + " to " + std::to_string(w.o) + ", kernel " + std::to_string(w.kh) + "x" +
           std::to_string(w.kw) + ", stride " + std::to_string(w.stride) + ", padding " + std::to_string(w.padding);
  }
};

/// Calls product(src value, weight) for all products of one output that touch the input, in the stated order.
template <typename Product>
void for_each_product(const Problem& problem, int64_t n, int64_t oy, int64_t ox, int64_t o, Product product) {
  const Window& w = problem.window;
  for (int64_t ky = 0; ky < w.kh; ++ky) {
    for (int64_t kx = 0; kx < w.kw; ++kx) {
      const int64_t y = oy * w.stride - w.padding + ky;
      const int64_t x = ox * w.stride - w.padding + kx;
      if (y < 0 || y >= w.h || x < 0 || x >= w.w) continue;
      for (int64_t i = 0; i < w.c; ++i) {
        product(problem.src[((n * w.h + y) * w.w + x) * w.c + i],
                problem.weights[((o * w.c + i) * w.kh + ky) * w.kw + kx]);
      }
    }
  }
}

/// Calls output(n, oy, ox, o) for all outputs in the order of dst.
template <typename Output>
void for_each_output(const Problem& problem, Output output) {
  for (int64_t n = 0; n < problem.n; ++n) {
    for (int64_t oy = 0; oy < problem.window.oh; ++oy) {
      for (int64_t ox = 0; ox < problem.window.ow; ++ox) {
        for (int64_t o = 0; o < problem.window.o; ++o) output(n, oy, ox, o);
      }
    }
  }
}

/// The exact sums with bias and residual; a sum of k rounded terms is within (k + 1) roundings of their magnitude.
std::vector<Expected> exact_sums(const Problem& problem) {
  std::vector<Expected> expected;
  for_each_output(problem, [&](int64_t n, int64_t oy, int64_t ox, int64_t o) {
    const double bias = problem.bias[o];
    const double residual = problem.residual[expected.size()];
    double sum = bias + residual;
    double magnitude = std::abs(bias) + std::abs(residual);
    int terms = 2;
    for_each_product(problem, n, oy, ox, o, [&](double value, double weight) {
      sum += value * weight;
      magnitude += std::abs(value * weight);
      ++terms;
    });
    expected.push_back({sum, (terms + 1) * kUnitRoundoff * magnitude});
  });
  return expected;
}

/// The same in f32, one rounding after the other in the stated order.
std::vector<float> ordered_sums(const Problem& problem) {
  std::vector<float> sums;
  for_each_output(problem, [&](int64_t n, int64_t oy, int64_t ox, int64_t o) {
    float sum = 0;
    for_each_product(problem, n, oy, ox, o, [&](float value, float weight) { sum += value * weight; });
    sum += problem.bias[o];
    sums.push_back(sum + problem.residual[sums.size()]);
  });
  return sums;
}

/// Kernels 1x1 to 7x7, strides, paddings, sizes from one pixel up, and every tail of channels and pixels.
std::vector<Problem> all_problems() {
  constexpr int64_t kChannelsIn[] = {1, 3, 8, 5};
  constexpr int64_t kChannelsOut[] = {1, 2, 3, 4, 6, 8, 10, 13, 17};
  constexpr int64_t kImages[] = {1, 2, 9};
  std::vector<Problem> problems;
  for (const auto& [kh, kw] : {std::pair{1, 1}, {3, 3}, {7, 7}, {2, 5}}) {
    for (int64_t stride : {1, 2}) {
      for (int64_t padding : {0, 1, 2, 3}) {
        for (const auto& [h, w] : {std::pair{1, 1}, {2, 2}, {5, 3}, {4, 11}, {9, 7}}) {
          if (h + 2 * padding < kh || w + 2 * padding < kw) continue;
          const size_t i = problems.size();
          problems.emplace_back(kImages[i % 3], h, w, kChannelsIn[i % 4], kChannelsOut[i % 9], kh, kw, stride, padding);
        }
      }
    }
  }
  problems.emplace_back(3, 8, 8, 64, 64, 3, 3, 1, 1);  // a layer as it is in a model
  return problems;
}

TEST(Conv2d, MatchesPlainLoopsInDouble) {
  for (const Problem& problem : all_problems()) {
    SCOPED_TRACE(problem.name());
    expect_close(problem.run(), exact_sums(problem));
  }
}

TEST(Conv2d, AddsUpEveryOutputInTheStatedOrder) {
  for (const Problem& problem : all_problems()) {
    SCOPED_TRACE(problem.name());
    expect_same_bits(problem.run(), ordered_sums(problem));
  }
}

TEST(Conv2d, AppliesReluLast) {
  const Problem problem(2, 5, 5, 3, 10, 3, 3, 1, 1);
  std::vector<float> expected = problem.run();
  for (float& value : expected) value = std::max(value, 0.0f);
  expect_same_bits(problem.run(Activation::kRelu), expected);
}

TEST(Conv2d, AppliesSiluLast) {
  const Problem problem(2, 5, 5, 3, 10, 3, 3, 1, 1);
  std::vector<Expected> expected;
  for (float sum : problem.run()) {
    const double value = test::silu_exact(sum);
    expected.push_back({value, 8 * kUnitRoundoff * std::abs(value)});
  }
  expect_close(problem.run(Activation::kSilu), expected);
}

TEST(Conv2d, NeedsNeitherBiasNorResidual) {
  Problem problem(2, 5, 5, 3, 10, 3, 3, 1, 1);
  std::vector<float> dst(problem.outputs());
  reference::conv2d(problem.window, problem.src.data(), problem.packed.data(), nullptr, nullptr, Activation::kNone, 0,
                    problem.rows(), dst.data());
  std::fill(problem.bias.begin(), problem.bias.end(), 0.0f);
  std::fill(problem.residual.begin(), problem.residual.end(), 0.0f);
  expect_same_bits(dst, ordered_sums(problem));
}

TEST(Conv2d, OfOnePixelIsALinearLayer) {
  for (int64_t images : {1, 3, 4, 33, 70}) {
    const Problem problem(images, 1, 1, 37, 19, 1, 1, 1, 0);
    SCOPED_TRACE(problem.name());
    const std::vector<float> dst = problem.run();
    for (int64_t row = 0; row < images; ++row) {
      for (int64_t o = 0; o < 19; ++o) {
        float sum = 0;
        for (int64_t i = 0; i < 37; ++i) sum += problem.src[row * 37 + i] * problem.weights[o * 37 + i];
        ASSERT_EQ(dst[row * 19 + o], sum + problem.bias[o] + problem.residual[row * 19 + o]);
      }
    }
  }
}

TEST(Conv2d, RowsSplitAnywhereGiveTheSameBits) {
  for (const Problem& problem : {Problem(3, 7, 6, 5, 11, 3, 3, 1, 1), Problem(2, 9, 9, 3, 8, 7, 7, 2, 3),
                                 Problem(40, 1, 1, 16, 10, 1, 1, 1, 0)}) {
    SCOPED_TRACE(problem.name());
    const std::vector<float> whole = problem.run(Activation::kSilu);
    for (int64_t split = 0; split <= problem.rows(); ++split) {
      std::vector<float> dst(problem.outputs());
      problem.run(Activation::kSilu, split, problem.rows(), dst);
      problem.run(Activation::kSilu, 0, split, dst);
      expect_same_bits(dst, whole);
    }
  }
}

TEST(Conv2d, WritesItsRowsOnly) {
  const Problem problem(3, 4, 4, 2, 5, 3, 3, 1, 1);
  const std::vector<float> whole = problem.run();
  const int64_t row_values = problem.window.ow * problem.window.o;
  for (int64_t begin = 0; begin <= problem.rows(); ++begin) {
    for (int64_t end = begin; end <= problem.rows(); ++end) {
      std::vector<float> expected(problem.outputs(), 5.0f);
      std::copy(whole.begin() + begin * row_values, whole.begin() + end * row_values,
                expected.begin() + begin * row_values);
      std::vector<float> dst(problem.outputs(), 5.0f);
      problem.run(Activation::kNone, begin, end, dst);
      expect_same_bits(dst, expected);
    }
  }
}

TEST(Conv2d, OfNoImagesWritesNothing) {
  const Problem problem(0, 5, 5, 3, 4, 3, 3, 1, 1);
  std::vector<float> dst(1, 7.0f);
  problem.run(Activation::kRelu, 0, 0, dst);
  EXPECT_EQ(dst[0], 7.0f);
}

TEST(Conv2d, AnImageHasTheSameBitsAloneAndInABatch) {
  Problem problem(7, 2, 2, 24, 12, 3, 3, 1, 1);
  const std::vector<float> batch = problem.run();
  const int64_t in = 2 * 2 * 24;
  const int64_t out = 2 * 2 * 12;
  for (int64_t n = 0; n < 7; ++n) {
    Problem alone(1, 2, 2, 24, 12, 3, 3, 1, 1);
    std::copy_n(problem.src.begin() + n * in, in, alone.src.begin());
    std::copy_n(problem.residual.begin() + n * out, out, alone.residual.begin());
    expect_same_bits(alone.run(), std::span(batch).subspan(n * out, out));
  }
}

TEST(Conv2d, EqualWeightRowsGiveEqualBits) {
  for (int64_t o : {2, 5, 8, 15}) {
    Problem problem(3, 1, 1, 100, o, 1, 1, 1, 0);
    for (int64_t row = 1; row < o; ++row) {
      std::copy_n(problem.weights.begin(), 100, problem.weights.begin() + row * 100);
    }
    problem.pack();
    std::fill(problem.bias.begin(), problem.bias.end(), 0.25f);
    std::fill(problem.residual.begin(), problem.residual.end(), 0.0f);
    const std::vector<float> dst = problem.run();
    for (int64_t i = 0; i < problem.outputs(); ++i) ASSERT_EQ(dst[i], dst[i / o * o]) << "output " << i;
  }
}

TEST(Conv2d, SkipsTapsInThePadding) {
  // Infinite weights everywhere but in the centre, the only tap that a single pixel meets.
  Problem problem(1, 1, 1, 1, 1, 3, 3, 1, 1);
  std::fill(problem.weights.begin(), problem.weights.end(), INFINITY);
  problem.weights[4] = 2.0f;
  problem.pack();
  EXPECT_EQ(problem.run()[0], problem.src[0] * 2.0f + problem.bias[0] + problem.residual[0]);
}

TEST(Conv2d, AWindowInsideThePaddingGivesTheBias) {
  Problem problem(1, 1, 1, 4, 3, 1, 1, 1, 2);
  std::fill(problem.residual.begin(), problem.residual.end(), 0.0f);
  const std::vector<float> dst = problem.run();
  ASSERT_EQ(problem.window.oh, 5);
  for (int64_t o = 0; o < 3; ++o) EXPECT_EQ(dst[o], problem.bias[o]);
}

TEST(PackConv2d, MovesOutputsInnermost) {
  const std::vector<float> weights = random_values(5 * 4 * 3 * 2, 9);
  std::vector<float> packed(weights.size());
  reference::pack_conv2d(weights.data(), 5, 4, 3, 2, packed.data());
  for (int64_t o = 0; o < 5; ++o) {
    for (int64_t i = 0; i < 4; ++i) {
      for (int64_t ky = 0; ky < 3; ++ky) {
        for (int64_t kx = 0; kx < 2; ++kx) {
          ASSERT_EQ(packed[((ky * 2 + kx) * 4 + i) * 5 + o], weights[((o * 4 + i) * 3 + ky) * 2 + kx]);
        }
      }
    }
  }
}

}  // namespace
}  // namespace moefb::kernels
