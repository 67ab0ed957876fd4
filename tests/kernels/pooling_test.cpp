#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
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

Window pool_window(int64_t h, int64_t w, int64_t c, int64_t kernel, int64_t stride, int64_t padding) {
  Window window{.h = h, .w = w, .c = c, .o = c, .kh = kernel, .kw = kernel, .stride = stride, .padding = padding};
  window.oh = (h + 2 * padding - kernel) / stride + 1;
  window.ow = (w + 2 * padding - kernel) / stride + 1;
  return window;
}

float largest(const Window& window, const std::vector<float>& src, int64_t n, int64_t oy, int64_t ox, int64_t channel) {
  float best = -INFINITY;
  for (int64_t y = oy * window.stride - window.padding; y < oy * window.stride - window.padding + window.kh; ++y) {
    for (int64_t x = ox * window.stride - window.padding; x < ox * window.stride - window.padding + window.kw; ++x) {
      if (y < 0 || y >= window.h || x < 0 || x >= window.w) continue;
      best = std::max(best, src[((n * window.h + y) * window.w + x) * window.c + channel]);
    }
  }
  return best;
}

TEST(MaxPool, TakesTheLargestOfEveryWindow) {
  for (const Window& window : {pool_window(1, 1, 3, 1, 1, 0), pool_window(8, 8, 5, 3, 2, 1),
                               pool_window(7, 9, 64, 3, 2, 1), pool_window(6, 4, 1, 2, 2, 0)}) {
    // All below zero: a padding that counted as zero would win.
    const std::vector<float> src = random_values(2 * window.h * window.w * window.c, 1, -2.0f, -1.0f);
    std::vector<float> dst(2 * window.oh * window.ow * window.c);
    reference::max_pool(window, src.data(), 0, 2 * window.oh, dst.data());
    const float* actual = dst.data();
    for (int64_t n = 0; n < 2; ++n) {
      for (int64_t oy = 0; oy < window.oh; ++oy) {
        for (int64_t ox = 0; ox < window.ow; ++ox) {
          for (int64_t i = 0; i < window.c; ++i) ASSERT_EQ(*actual++, largest(window, src, n, oy, ox, i));
        }
      }
    }
  }
}

TEST(MaxPool, WritesItsRowsOnly) {
  const Window window = pool_window(6, 6, 3, 3, 2, 1);
  const std::vector<float> src = random_values(2 * 6 * 6 * 3, 1);
  const int64_t rows = 2 * window.oh;
  const int64_t row_values = window.ow * window.c;
  std::vector<float> whole(rows * row_values);
  reference::max_pool(window, src.data(), 0, rows, whole.data());
  for (int64_t split = 0; split <= rows; ++split) {
    std::vector<float> dst(rows * row_values, 9.0f);
    reference::max_pool(window, src.data(), split, rows, dst.data());
    std::vector<float> expected = whole;
    std::fill_n(expected.begin(), split * row_values, 9.0f);
    expect_same_bits(dst, expected);
  }
}

TEST(GlobalAveragePool, MatchesTheMeanInDouble) {
  for (int64_t pixels : {1, 2, 49, 1000}) {
    for (int64_t c : {1, 3, 16, 37}) {
      const std::vector<float> src = random_values(3 * pixels * c, 1, 0.0f, 1.0f);
      std::vector<float> dst(3 * c);
      reference::global_average_pool(src.data(), pixels, c, 0, 3, dst.data());
      std::vector<Expected> expected;
      for (int64_t n = 0; n < 3; ++n) {
        for (int64_t i = 0; i < c; ++i) {
          double sum = 0;
          for (int64_t pixel = 0; pixel < pixels; ++pixel) sum += src[(n * pixels + pixel) * c + i];
          expected.push_back({sum / pixels, 2 * kUnitRoundoff});
        }
      }
      expect_close(dst, expected);
    }
  }
}

TEST(GlobalAveragePool, WritesItsImagesOnly) {
  const std::vector<float> src = random_values(4 * 6 * 5, 1);
  std::vector<float> whole(4 * 5);
  reference::global_average_pool(src.data(), 6, 5, 0, 4, whole.data());
  std::vector<float> dst(4 * 5, 9.0f);
  reference::global_average_pool(src.data(), 6, 5, 1, 3, dst.data());
  std::fill_n(whole.begin(), 5, 9.0f);
  std::fill_n(whole.begin() + 15, 5, 9.0f);
  expect_same_bits(dst, whole);
}

}  // namespace
}  // namespace moefb::kernels
