#include "trainer/data/split.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "converter/temporary_folder.h"

namespace moefb::trainer {
namespace {

constexpr int64_t kClasses = 3;

/// 60 pictures of class 0, 30 of class 1, 10 of class 2, in this order.
std::vector<int64_t> uneven_labels() {
  std::vector<int64_t> labels(60, 0);
  labels.insert(labels.end(), 30, 1);
  labels.insert(labels.end(), 10, 2);
  return labels;
}

std::vector<int64_t> order_of(const std::vector<int64_t>& labels, uint64_t seed) {
  return balanced_order(labels, kClasses, Random(seed, Stream::kSplit, 0));
}

TEST(BalancedOrder, HoldsEveryPictureOnce) {
  std::vector<int64_t> order = order_of(uneven_labels(), 1);
  std::ranges::sort(order);
  ASSERT_EQ(order.size(), 100u);
  for (int64_t i = 0; i < 100; ++i) EXPECT_EQ(order[size_t(i)], i);
}

TEST(BalancedOrder, EveryBeginningHoldsEachClassInProportion) {
  const std::vector<int64_t> labels = uneven_labels();
  const std::vector<int64_t> order = order_of(labels, 1);
  std::vector<double> counts(kClasses);
  for (size_t n = 1; n <= order.size(); ++n) {
    ++counts[size_t(labels[size_t(order[n - 1])])];
    const double share = double(n) / 100;
    EXPECT_NEAR(counts[0], 60 * share, 1.0) << n;
    EXPECT_NEAR(counts[1], 30 * share, 1.0) << n;
    EXPECT_NEAR(counts[2], 10 * share, 1.0) << n;
  }
}

TEST(BalancedOrder, SeedMovesItAndNothingElseDoes) {
  EXPECT_EQ(order_of(uneven_labels(), 1), order_of(uneven_labels(), 1));
  EXPECT_NE(order_of(uneven_labels(), 1), order_of(uneven_labels(), 2));
}

TEST(BalancedOrder, TakesNoneAndAClassWithoutPictures) {
  EXPECT_TRUE(order_of({}, 1).empty());
  EXPECT_EQ(order_of({2}, 1), std::vector<int64_t>{0});
}

TEST(SizeWithin, ZeroAsksForAllAndMoreIsRefused) {
  EXPECT_EQ(size_within("x", "val_size", 0, 7), 7);
  EXPECT_EQ(size_within("x", "val_size", 3, 7), 3);
  EXPECT_EQ(testing::message_of([] { size_within("x", "val_size", 8, 7); }),
            "data set x: expected val_size of at most 7, found 8");
}

}  // namespace
}  // namespace moefb::trainer
