#include "trainer/data/random.h"

#include <gtest/gtest.h>

#include <array>
#include <set>

namespace moefb::trainer {
namespace {

TEST(Random, SameNameGivesSameNumbers) {
  Random a(1, Stream::kOrder, 2, 3);
  Random b(1, Stream::kOrder, 2, 3);
  for (int i = 0; i < 100; ++i) ASSERT_EQ(a.next(), b.next());
}

// Pictures, orders and augmentation of every stored run hang on these numbers: they may never change.
TEST(Random, NumbersStayWhatTheyWere) {
  Random random(42, Stream::kTrainPicture, 7);
  EXPECT_EQ(random.next(), 0xa40fa6d60448a52cu);
  EXPECT_EQ(random.next(), 0x71ef4cf06b59f516u);
}

TEST(Random, EveryPartOfTheNameChangesTheNumbers) {
  std::set<uint64_t> firsts;
  for (const uint64_t seed : {0, 1, 2}) {
    for (const Stream stream : {Stream::kTrainPicture, Stream::kValPicture, Stream::kAugment}) {
      for (const uint64_t a : {0, 1, 2}) {
        for (const uint64_t b : {0, 1, 2}) firsts.insert(Random(seed, stream, a, b).next());
      }
    }
  }
  EXPECT_EQ(firsts.size(), 81u);
}

TEST(Random, UnitCoversZeroToOneEvenly) {
  constexpr int kDraws = 100'000;
  Random random(3, Stream::kOrder, 0);
  std::array<int, 10> tenths{};
  for (int i = 0; i < kDraws; ++i) {
    const float u = random.unit();
    ASSERT_GE(u, 0.0f);
    ASSERT_LT(u, 1.0f);
    ++tenths[size_t(u * 10)];
  }
  for (const int count : tenths) EXPECT_NEAR(count, kDraws / 10, 5 * 95) << "more than 5 standard deviations of 95 off";
}

TEST(Random, BelowReachesEveryNumberEquallyOften) {
  constexpr int kDraws = 70'000;
  Random random(4, Stream::kOrder, 0);
  std::array<int, 7> counts{};
  for (int i = 0; i < kDraws; ++i) ++counts.at(random.below(7));
  for (const int count : counts) EXPECT_NEAR(count, kDraws / 7, 5 * 93) << "more than 5 standard deviations of 93 off";
}

TEST(Random, BelowOneIsZeroAndLargeBoundsHold) {
  Random random(5, Stream::kOrder, 0);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(random.below(1), 0u);
    EXPECT_LT(random.below(0xfffffff0u), 0xfffffff0u);
  }
}

TEST(Random, CoinIsFair) {
  constexpr int kDraws = 10'000;
  Random random(6, Stream::kOrder, 0);
  int heads = 0;
  for (int i = 0; i < kDraws; ++i) heads += random.coin() ? 1 : 0;
  EXPECT_NEAR(heads, kDraws / 2, 5 * 50) << "more than 5 standard deviations of 50 off";
}

}  // namespace
}  // namespace moefb::trainer
