#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

#include "kernels/routing.h"
#include "kernels/values.h"

namespace moefb::kernels::routing {
namespace {

using Indices = std::vector<int32_t>;

Indices chosen(const std::vector<float>& scores, int64_t K) {
  Indices result(K);
  top_k(scores.data(), static_cast<int64_t>(scores.size()), K, result.data());
  return result;
}

TEST(TopK, ListsTheLargestBestFirst) {
  EXPECT_EQ(chosen({0.1f, 0.9f, -3.0f, 0.5f}, 3), (Indices{1, 3, 0}));
}

TEST(TopK, TieGoesToLowerExpert) {
  EXPECT_EQ(chosen({2, 7, 7, 7, 2}, 4), (Indices{1, 2, 3, 0}));
  EXPECT_EQ(chosen({0.0f, -0.0f, 0.0f}, 3), (Indices{0, 1, 2}));
}

TEST(TopK, OfAllExpertsIsAStableSort) {
  for (uint32_t seed = 0; seed < 50; ++seed) {
    std::vector<float> scores = test::random_values(1 + seed % 33, seed);
    for (float& score : scores) score = std::round(score * 4);  // many ties
    Indices expected(scores.size());
    std::iota(expected.begin(), expected.end(), 0);
    std::stable_sort(expected.begin(), expected.end(), [&](int a, int b) { return scores[a] > scores[b]; });
    EXPECT_EQ(chosen(scores, static_cast<int64_t>(scores.size())), expected);
  }
}

TEST(TopK, OfOneExpertIsThatExpert) {
  EXPECT_EQ(chosen({-5}, 1), (Indices{0}));
}

TEST(TopK, OfNoneWritesNothing) {
  EXPECT_EQ(chosen({1, 2}, 0), (Indices{}));
}

TEST(TopK, RanksInfinitiesAsNumbers) {
  EXPECT_EQ(chosen({-INFINITY, 0, INFINITY, -INFINITY}, 4), (Indices{2, 1, 0, 3}));
}

TEST(TopK, PutsWhatIsNoNumberLast) {
  EXPECT_EQ(chosen({NAN, -1, NAN, -INFINITY}, 4), (Indices{1, 3, 0, 2}));
  EXPECT_EQ(chosen({NAN, -NAN, NAN}, 2), (Indices{0, 1}));
}

}  // namespace
}  // namespace moefb::kernels::routing
