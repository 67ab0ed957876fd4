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

using test::expect_close;
using test::expect_same_bits;
using test::Expected;
using test::kUnitRoundoff;
using test::random_values;

using Scores = std::vector<float>;

int64_t size(const Scores& scores) {
  return static_cast<int64_t>(scores.size());
}

Scores softmax_of(const Scores& scores, float temperature = 1.0f) {
  Scores result(scores.size());
  softmax(scores.data(), size(scores), temperature, result.data());
  return result;
}

Scores threshold_of(const Scores& scores, float threshold, float temperature = 1.0f) {
  Scores result(scores.size());
  masked_softmax_threshold(scores.data(), size(scores), threshold, temperature, result.data());
  return result;
}

Scores chosen_of(const Scores& scores, const std::vector<int32_t>& chosen, float temperature = 1.0f) {
  Scores result(scores.size());
  masked_softmax_chosen(scores.data(), size(scores), chosen.data(), static_cast<int64_t>(chosen.size()), temperature,
                        result.data());
  return result;
}

double mean_of(const Scores& scores) {
  return std::accumulate(scores.begin(), scores.end(), 0.0) / size(scores);
}

double squares_of(const Scores& scores) {
  const double mean = mean_of(scores);
  double sum = 0;
  for (double score : scores) sum += (score - mean) * (score - mean);
  return sum;
}

TEST(Softmax, MatchesTheDefinitionInDouble) {
  for (int64_t E : {1, 2, 7, 8, 64}) {
    for (float temperature : {0.5f, 0.85f, 2.0f}) {
      const Scores scores = random_values(E, static_cast<uint32_t>(E), -10.0f, 10.0f);
      double sum = 0;
      for (double score : scores) sum += std::exp(score / temperature);
      std::vector<Expected> expected;
      for (double score : scores) {
        const double value = std::exp(score / temperature) / sum;
        // An argument of up to 40 is off by 40 roundings, hence its exponential; E terms, a division and exp itself
        // add.
        expected.push_back({value, (2 * 40 + E + 8) * kUnitRoundoff * value});
      }
      expect_close(softmax_of(scores, temperature), expected);
    }
  }
}

TEST(Softmax, SaturatesToExactlyOne) {
  EXPECT_EQ(softmax_of({20.0f, 0.0f, 1.0f})[0], 1.0f);
  EXPECT_EQ(softmax_of({-200.0f, 0.0f}), (Scores{0.0f, 1.0f}));
  EXPECT_EQ(softmax_of({3e38f, -3e38f}), (Scores{1.0f, 0.0f}));
}

TEST(Softmax, OfOneExpertIsOne) {
  EXPECT_EQ(softmax_of({-4.0f}), (Scores{1.0f}));
}

TEST(Softmax, GivesEqualScoresEqualProbabilities) {
  EXPECT_EQ(softmax_of({5, 5, 5, 5}), (Scores{0.25f, 0.25f, 0.25f, 0.25f}));
  const Scores probabilities = softmax_of({0.3f, 1.7f, 0.3f, -2.0f});
  EXPECT_EQ(probabilities[0], probabilities[2]);
}

TEST(Softmax, KeepsTheOrderOfScores) {
  Scores scores(200);
  for (int i = 0; i < 200; ++i) scores[i] = 0.01f * static_cast<float>(i);
  const Scores probabilities = softmax_of(scores);
  for (int i = 1; i < 200; ++i) EXPECT_LT(probabilities[i - 1], probabilities[i]);
}

TEST(Softmax, RunsInPlace) {
  Scores scores = random_values(9, 4);
  const Scores expected = softmax_of(scores, 0.7f);
  softmax(scores.data(), 9, 0.7f, scores.data());
  expect_same_bits(scores, expected);
}

TEST(Softmax, ShowsWhatIsNoNumber) {
  for (const Scores& scores : {Scores{NAN, NAN}, Scores{INFINITY, 1.0f}, Scores{-INFINITY, -INFINITY}}) {
    bool all_numbers = true;
    for (float probability : softmax_of(scores)) all_numbers &= std::isfinite(probability);
    EXPECT_FALSE(all_numbers);
  }
}

TEST(MaskedSoftmax, OfAllExpertsIsSoftmax) {
  const Scores scores = random_values(8, 1);
  expect_same_bits(threshold_of(scores, *std::min_element(scores.begin(), scores.end()), 0.5f),
                   softmax_of(scores, 0.5f));
  expect_same_bits(chosen_of(scores, {3, 1, 0, 2, 7, 6, 5, 4}, 0.5f), softmax_of(scores, 0.5f));
}

TEST(MaskedSoftmax, BothRulesAgreeWithoutTies) {
  const Scores scores = random_values(8, 1);
  for (int64_t K = 1; K <= 8; ++K) {
    std::vector<int32_t> chosen(K);
    top_k(scores.data(), 8, K, chosen.data());
    expect_same_bits(chosen_of(scores, chosen, 0.5f), threshold_of(scores, scores[chosen[K - 1]], 0.5f));
  }
}

TEST(MaskedSoftmax, OfOneExpertIsExactlyOneThereAndZeroElsewhere) {
  EXPECT_EQ(chosen_of({0.2f, 0.1f, 0.9f}, {2}), (Scores{0, 0, 1}));
  EXPECT_EQ(threshold_of({0.2f, 0.1f, 0.9f}, 0.9f), (Scores{0, 0, 1}));
}

TEST(MaskedSoftmax, ByThresholdKeepsEveryTie) {
  const Scores probabilities = threshold_of({1.0f, 0.0f, 1.0f, 1.0f}, 1.0f);
  EXPECT_EQ(probabilities, (Scores{1.0f / 3, 0.0f, 1.0f / 3, 1.0f / 3}));
}

TEST(MaskedSoftmax, ByIndexKeepsExactlyTheChosen) {
  EXPECT_EQ(chosen_of({1.0f, 0.0f, 1.0f, 1.0f}, {0, 2}), (Scores{0.5f, 0.0f, 0.5f, 0.0f}));
}

TEST(Standardize, MatchesTheDefinitionInDouble) {
  for (int64_t E : {2, 3, 8, 33}) {
    for (bool unbiased : {false, true}) {
      const Scores scores = random_values(E, 7, 5.0f, 6.0f);
      const double deviation = std::sqrt(squares_of(scores) / static_cast<double>(unbiased ? E - 1 : E));
      std::vector<Expected> expected;
      for (double score : scores) {
        const double value = (score - mean_of(scores)) / (deviation + 1e-5f);
        expected.push_back({value, 1e-12 + 2 * kUnitRoundoff * std::abs(value)});
      }
      Scores result(E);
      standardize(scores.data(), E, 1e-5f, unbiased, result.data());
      expect_close(result, expected);
    }
  }
}

TEST(Standardize, OfEqualScoresIsZero) {
  Scores scores(5, 1.1f);
  standardize(scores.data(), 5, 1e-5f, true, scores.data());
  EXPECT_EQ(scores, Scores(5, 0.0f));
}

TEST(LayerNorm, MatchesTheDefinitionInDouble) {
  for (int64_t n : {1, 2, 52, 1060}) {
    const Scores in = random_values(n, 1, 2.0f, 4.0f);
    const Scores weight = random_values(n, 2);
    const Scores bias = random_values(n, 3);
    const double scale = std::sqrt(squares_of(in) / static_cast<double>(n) + 1e-5f);
    std::vector<Expected> expected;
    for (int64_t i = 0; i < n; ++i) {
      const double value = (in[i] - mean_of(in)) / scale * weight[i] + bias[i];
      expected.push_back({value, 1e-12 + 2 * kUnitRoundoff * std::abs(value)});
    }
    Scores result(n);
    layer_norm(in.data(), n, 1e-5f, weight.data(), bias.data(), result.data());
    expect_close(result, expected);
  }
}

TEST(Center, LeavesAMeanOfZero) {
  for (int64_t E : {1, 2, 9}) {
    Scores scores = random_values(E, 3, 7.0f, 8.0f);
    const double mean = mean_of(scores);
    std::vector<Expected> expected;
    for (double score : scores) expected.push_back({score - mean, 1e-12 + 2 * kUnitRoundoff * std::abs(score - mean)});
    center(scores.data(), E);
    expect_close(scores, expected);
  }
}

}  // namespace
}  // namespace moefb::kernels::routing
