// Mutual information on tables with known answers, and that the permutation test keeps its promise.
#include "trainer/analysis/specialisation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "trainer/data/random.h"

namespace moefb::trainer {
namespace {

constexpr double kExact = 1e-12;

CountTable table(int64_t rows, int64_t columns, std::vector<int64_t> counts) {
  CountTable result(rows, columns);
  result.counts = std::move(counts);
  return result;
}

/// One token a picture: the picture table of these experts.
CountTable pictures_of(const std::vector<int32_t>& experts, int64_t count) {
  CountTable result(int64_t(experts.size()), count);
  for (size_t i = 0; i < experts.size(); ++i) ++result.at(int64_t(i), experts[i]);
  return result;
}

std::vector<int64_t> labels_in_turn(int64_t n, int64_t classes) {
  std::vector<int64_t> labels;
  for (int64_t i = 0; i < n; ++i) labels.push_back(i % classes);
  return labels;
}

TEST(MutualInformation, OfOneExpertForEachClassIsTheEntropyOfTheClasses) {
  EXPECT_NEAR(mutual_information_bits(table(4, 4, {5, 0, 0, 0, 0, 5, 0, 0, 0, 0, 5, 0, 0, 0, 0, 5})), 2, kExact);
}

TEST(MutualInformation, OfEqualRowsIsNone) {
  EXPECT_NEAR(mutual_information_bits(table(3, 2, {2, 6, 4, 12, 1, 3})), 0, kExact);
}

TEST(MutualInformation, OfAnUnevenTableIsItsSumByHand) {
  // p = {3/8, 1/8; 1/8, 3/8}, both margins 1/2: 2 * (3/8 log2(3/2) + 1/8 log2(1/2)) = 0.75 log2(1.5) - 0.25.
  EXPECT_NEAR(mutual_information_bits(table(2, 2, {3, 1, 1, 3})), 0.75 * std::log2(1.5) - 0.25, kExact);
}

TEST(MutualInformation, OfNothingIsNone) {
  EXPECT_EQ(mutual_information_bits(CountTable(3, 4)), 0);
  EXPECT_EQ(information_limit_bits(CountTable(3, 4)), 0);
}

TEST(InformationLimit, IsTheSmallerEntropyOfTheTwo) {
  EXPECT_NEAR(information_limit_bits(table(4, 2, {1, 1, 1, 1, 1, 1, 1, 1})), 1, kExact);
  EXPECT_NEAR(information_limit_bits(table(2, 2, {2, 2, 0, 0})), 0, kExact);
}

TEST(Specialisation, OfExpertsThatFollowTheClassIsSure) {
  const std::vector<int64_t> labels = labels_in_turn(80, 4);
  const std::vector<int32_t> experts(labels.begin(), labels.end());
  const Specialisation found = specialisation(pictures_of(experts, 4), labels, 4, 199, 1);
  EXPECT_NEAR(found.mutual_information_bits, 2, kExact);
  EXPECT_NEAR(found.of_at_most, 2, kExact);
  EXPECT_DOUBLE_EQ(found.p_value, 1.0 / 200);
  EXPECT_LT(found.chance_p95, 0.5);
  EXPECT_GT(found.chance_mean, 0);
  EXPECT_GE(found.chance_p95, found.chance_mean);
  EXPECT_EQ(found.permutations, 199);
}

TEST(Specialisation, WhereOneExpertTakesAllIsNoneAndNotSignificant) {
  const std::vector<int64_t> labels = labels_in_turn(40, 4);
  const Specialisation found = specialisation(pictures_of(std::vector<int32_t>(40, 0), 3), labels, 4, 99, 1);
  EXPECT_EQ(found.mutual_information_bits, 0);
  EXPECT_EQ(found.of_at_most, 0);
  EXPECT_EQ(found.p_value, 1);
}

TEST(Specialisation, IsTheSameForTheSameSeed) {
  const std::vector<int64_t> labels = labels_in_turn(60, 3);
  std::vector<int32_t> experts;
  Random random(3, Stream::kNoise, 0);
  for (size_t i = 0; i < labels.size(); ++i) experts.push_back(int32_t(random.below(4)));
  const auto mean = [&](uint64_t seed) {
    return specialisation(pictures_of(experts, 4), labels, 3, 50, seed).chance_mean;
  };
  EXPECT_EQ(mean(5), mean(5));
  EXPECT_NE(mean(5), mean(6));
}

// Where class and expert are independent, p is uniform: the largest distance between its distribution over 300 data
// sets and the diagonal stays below the 0.1 % point of Kolmogorov and Smirnov, 1.95 / sqrt(300).
TEST(Specialisation, OfIndependentExpertsHasUniformP) {
  constexpr int kSets = 300;
  const std::vector<int64_t> labels = labels_in_turn(120, 5);
  std::vector<double> p;
  for (int set = 0; set < kSets; ++set) {
    Random random(11, Stream::kNoise, uint64_t(set));
    std::vector<int32_t> experts;
    for (size_t i = 0; i < labels.size(); ++i) experts.push_back(int32_t(random.below(4)));
    p.push_back(specialisation(pictures_of(experts, 4), labels, 5, 199, uint64_t(set)).p_value);
  }
  std::ranges::sort(p);
  double distance = 0;
  for (int i = 0; i < kSets; ++i) distance = std::max(distance, std::abs(p[size_t(i)] - (i + 0.5) / kSets));
  EXPECT_LT(distance, 1.95 / std::sqrt(kSets));
}

// 16 tokens of a picture go to one expert, drawn for the picture: independent of the class, though a test that dealt
// out tokens would call it certain.
TEST(Specialisation, DealsOutWholePicturesBecauseTheirTokensAreAlike) {
  const std::vector<int64_t> labels = labels_in_turn(60, 5);
  int significant = 0;
  for (int set = 0; set < 40; ++set) {
    CountTable pictures(60, 4);
    Random random(23, Stream::kNoise, uint64_t(set));
    for (int64_t i = 0; i < 60; ++i) pictures.at(i, random.below(4)) = 16;
    significant += specialisation(pictures, labels, 5, 99, uint64_t(set)).p_value <= 0.05;
  }
  EXPECT_LE(significant, 8);  // 2 expected; 9 or more come once in 4,000 seeds
}

}  // namespace
}  // namespace moefb::trainer
