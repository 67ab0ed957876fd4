#include "plan/arena.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace moefb::plan {
namespace {

bool overlap(const Buffer& a, const Buffer& b) {
  const bool in_time = a.first <= b.last && b.first <= a.last;
  const bool in_space = a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes;
  return in_time && in_space;
}

TEST(Arena, IsEmptyWithoutBuffers) {
  std::vector<Buffer> none;
  EXPECT_EQ(place(none), 0);
}

TEST(Arena, ReusesMemoryOfABufferThatIsDone) {
  std::vector<Buffer> buffers = {{100, 0, 1, 0}, {100, 2, 3, 0}};
  EXPECT_EQ(place(buffers), 128);
  EXPECT_EQ(buffers[0].offset, buffers[1].offset);
}

TEST(Arena, KeepsApartWhatLivesAtTheSameStep) {
  std::vector<Buffer> buffers = {{100, 0, 2, 0}, {100, 2, 3, 0}};
  EXPECT_EQ(place(buffers), 256);
  EXPECT_FALSE(overlap(buffers[0], buffers[1]));
}

TEST(Arena, FillsAGapThatFits) {
  // 0: [0, 256) always; 1: [256, 512) early; 2: behind both. The small one finds room where 1 was.
  std::vector<Buffer> buffers = {{256, 0, 9, 0}, {256, 0, 3, 0}, {200, 2, 9, 0}, {64, 5, 9, 0}};
  EXPECT_EQ(place(buffers), 768);
  EXPECT_EQ(buffers[3].offset, 256);
}

TEST(Arena, NeverOverlapsAndNeverExceedsTheSumOnRandomLifetimes) {
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    std::vector<Buffer> buffers(1 + random() % 40);
    int64_t sum = 0, peak = 0;
    for (Buffer& b : buffers) {
      b.bytes = 1 + int64_t(random() % 5000);
      b.first = int(random() % 20);
      b.last = b.first + int(random() % 5);
      sum += align_up(b.bytes);
    }
    for (int step = 0; step < 25; ++step) {
      int64_t alive = 0;
      for (const Buffer& b : buffers) alive += b.first <= step && step <= b.last ? b.bytes : 0;
      peak = std::max(peak, alive);
    }
    const int64_t bytes = place(buffers);
    EXPECT_GE(bytes, peak);
    EXPECT_LE(bytes, sum);
    for (size_t i = 0; i < buffers.size(); ++i) {
      EXPECT_EQ(buffers[i].offset % kAlignment, 0);
      EXPECT_LE(buffers[i].offset + buffers[i].bytes, bytes);
      for (size_t j = 0; j < i; ++j) EXPECT_FALSE(overlap(buffers[i], buffers[j])) << "round " << round;
    }
  }
}

}  // namespace
}  // namespace moefb::plan
