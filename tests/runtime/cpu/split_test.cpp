#include "cpu/split.h"

#include <gtest/gtest.h>

#include <array>

namespace moefb::cpu {
namespace {

TEST(EvenPart, GivesEveryThreadAsManyParts) {
  EXPECT_EQ(even_part(49, 1, 64), 49);
  EXPECT_EQ(even_part(49, 2, 64), 25);
  EXPECT_EQ(even_part(392, 2, 64), 49);  // 8 parts, not 7
  EXPECT_EQ(even_part(49, 2, 2), 2);
  EXPECT_EQ(even_part(3, 8, 64), 1);
  EXPECT_EQ(even_part(0, 2, 64), 1);
}

TEST(EvenPart, IsNeverLargerThanAllowedAndCoversAll) {
  for (int64_t n = 0; n < 200; ++n) {
    for (const int64_t threads : {1, 2, 3, 16}) {
      for (const int64_t most : {1, 2, 7, 64}) {
        const int64_t part = even_part(n, threads, most);
        ASSERT_GE(part, 1);
        ASSERT_LE(part, most);
        const int64_t parts = (n + part - 1) / part,
                      rounds = std::max<int64_t>(1, (n + threads * most - 1) / (threads * most));
        ASSERT_LE(parts, rounds * threads) << n << " units, " << threads << " threads, " << most << " at most";
      }
    }
  }
}

/// Reads a Slide's positions one output at a time: a window's real positions, and how many zeros it meets on each side.
void expect_covers(const Slide& slide, int64_t begin, int64_t out) {
  const Strip s = strip(slide, begin, out);
  EXPECT_EQ(s.out_begin, begin);
  EXPECT_EQ(s.out, out);
  const int64_t first = begin * slide.stride - slide.padding;
  const int64_t last = (begin + out - 1) * slide.stride - slide.padding + slide.kernel - 1;
  EXPECT_EQ(s.in_begin, std::max<int64_t>(first, 0));
  EXPECT_EQ(s.in_begin + s.in, std::min(last, slide.in - 1) + 1);
  EXPECT_EQ(s.zeros_before, std::max<int64_t>(-first, 0));
  EXPECT_EQ(s.zeros_behind, std::max<int64_t>(last - (slide.in - 1), 0));
  // What a convolution without stride over the strip alone would give.
  EXPECT_EQ((s.zeros_before + s.in + s.zeros_behind - slide.kernel) / slide.stride + 1, out);
}

TEST(Strip, HoldsWhatItsOutputsRead) {
  for (const int64_t in : {1, 2, 3, 7, 8, 112}) {
    for (const auto& [kernel, stride, padding] : {std::array{3, 1, 1}, {3, 2, 1}, {7, 2, 3}, {1, 2, 0}, {1, 1, 0}}) {
      if (in + 2 * padding < kernel) continue;
      const Slide slide{in, (in + 2 * padding - kernel) / stride + 1, kernel, stride, padding};
      for (int64_t begin = 0; begin < slide.out; ++begin) {
        for (int64_t out = 1; begin + out <= slide.out; ++out) expect_covers(slide, begin, out);
      }
    }
  }
}

}  // namespace
}  // namespace moefb::cpu
