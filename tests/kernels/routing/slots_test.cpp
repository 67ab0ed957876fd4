#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <random>
#include <vector>

#include "kernels/routing.h"
#include "kernels/values.h"

namespace moefb::kernels::routing {
namespace {

using Indices = std::vector<int32_t>;

Indices random_experts(int64_t T, int64_t E, uint32_t seed) {
  std::mt19937 draw(seed);
  Indices expert(T);
  for (int32_t& e : expert) e = static_cast<int32_t>(draw() % static_cast<uint32_t>(E));
  return expert;
}

Indices slots_of(const Indices& expert, const std::vector<float>& gate, int64_t E) {
  Indices order(expert.size());
  Indices offsets(E + 1);
  Indices slot(expert.size());
  rank_slots(expert.data(), gate.data(), static_cast<int64_t>(expert.size()), E, order.data(), offsets.data(),
             slot.data());
  return slot;
}

/// As published: all tokens in one order of confidence, each takes the next slot of its expert.
Indices slots_by_walking(const Indices& expert, const std::vector<float>& gate, int64_t E) {
  Indices order(expert.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return gate[a] > gate[b]; });
  Indices next(E, 0);
  Indices slot(expert.size());
  for (int32_t token : order) slot[token] = next[expert[token]]++;
  return slot;
}

TEST(Capacity, IsAtLeastOne) {
  EXPECT_EQ(capacity(2.0, 0, 8), 1);
  EXPECT_EQ(capacity(0.001, 10, 8), 1);
  EXPECT_EQ(capacity(-1.0, 10, 8), 1);
  EXPECT_EQ(capacity(NAN, 10, 8), 1);
}

TEST(Capacity, RoundsUp) {
  EXPECT_EQ(capacity(1.0, 8, 8), 1);
  EXPECT_EQ(capacity(1.0, 9, 8), 2);
  EXPECT_EQ(capacity(2.0, 49, 4), 25);
  EXPECT_EQ(capacity(2.0, 12544, 8), 3136);
}

TEST(Capacity, IsThatOfDoublesWhereFloatsAreOffByOne) {
  // 1.1 * 100 is 110.00000000000001 in f64, as in the published code, and 110 in f32; 1.2 * 25 the other way round:
  // 30 in f64 and 30.000002 in f32.
  EXPECT_EQ(capacity(1.1, 100, 2), 56);
  EXPECT_EQ(static_cast<int64_t>(std::ceil(1.1f * 100.0f / 2.0f)), 55);
  EXPECT_EQ(capacity(1.2, 25, 2), 15);
  EXPECT_EQ(static_cast<int64_t>(std::ceil(1.2f * 25.0f / 2.0f)), 16);
}

TEST(Capacity, DividesAsPublished) {
  // 1.1 * 90 is 99.00000000000001 in f64; a third of it is above 33, but times the rounded third of one it is 33.
  EXPECT_EQ(capacity(1.1, 90, 3), 34);
  EXPECT_EQ(capacity(1.0, 525, 75), 7);
}

TEST(Capacity, OfAHugeFactorStaysAnInteger) {
  EXPECT_EQ(capacity(1e300, 1000, 2), int64_t{1} << 53);
  EXPECT_EQ(capacity(INFINITY, 1000, 2), int64_t{1} << 53);
}

TEST(SortByExpert, KeepsTheOrderOfRoutesWithinAnExpert) {
  const Indices chosen = {2, 0, 2, 1, 0, 2};
  Indices offsets(4);
  Indices order(6);
  sort_by_expert(chosen.data(), 6, 3, offsets.data(), order.data());
  EXPECT_EQ(offsets, (Indices{0, 2, 3, 6}));
  EXPECT_EQ(order, (Indices{1, 4, 3, 0, 2, 5}));
}

TEST(SortByExpert, LeavesOutDroppedRoutes) {
  const Indices chosen = {-1, 1, -1, 0, 1, 2};  // 2 is no expert either
  Indices offsets(3);
  Indices order(6, -7);
  sort_by_expert(chosen.data(), 6, 2, offsets.data(), order.data());
  EXPECT_EQ(offsets, (Indices{0, 1, 3}));
  EXPECT_EQ(order, (Indices{3, 1, 4, -7, -7, -7}));
}

TEST(SortByExpert, OfNoRoutesLeavesEveryExpertEmpty) {
  Indices offsets(4, 9);
  sort_by_expert(nullptr, 0, 3, offsets.data(), nullptr);
  EXPECT_EQ(offsets, (Indices{0, 0, 0, 0}));
}

TEST(SortByExpert, IsAStableSortOfManyRoutes) {
  for (int64_t E : {1, 2, 8, 100}) {
    const Indices chosen = random_experts(1001, E, static_cast<uint32_t>(E));
    Indices expected(1001);
    std::iota(expected.begin(), expected.end(), 0);
    std::stable_sort(expected.begin(), expected.end(), [&](int a, int b) { return chosen[a] < chosen[b]; });
    Indices offsets(E + 1);
    Indices order(1001);
    sort_by_expert(chosen.data(), 1001, E, offsets.data(), order.data());
    EXPECT_EQ(order, expected);
    for (int64_t e = 0; e < E; ++e) {
      EXPECT_EQ(offsets[e + 1] - offsets[e], std::count(chosen.begin(), chosen.end(), e));
    }
  }
}

TEST(RankSlots, GivesSlotZeroToTheMostConfident) {
  EXPECT_EQ(slots_of({0, 1, 0, 0}, {0.5f, 0.2f, 0.9f, 0.7f}, 2), (Indices{2, 0, 0, 1}));
}

TEST(RankSlots, AmongEqualGatesTheLowerTokenComesFirst) {
  EXPECT_EQ(slots_of({0, 0, 1, 0, 0}, {0.5f, 1.0f, 1.0f, 0.5f, 1.0f}, 2), (Indices{2, 0, 0, 3, 1}));
  Indices ascending(777);
  std::iota(ascending.begin(), ascending.end(), 0);
  EXPECT_EQ(slots_of(Indices(777, 0), std::vector<float>(777, 1.0f), 1), ascending);
}

TEST(RankSlots, MatchesTheWalkInOrderOfConfidence) {
  for (int64_t T : {0, 1, 2, 3, 5, 8, 49, 100, 1023, 12544}) {
    for (int64_t E : {1, 4, 8}) {
      SCOPED_TRACE(testing::Message() << T << " tokens, " << E << " experts");
      const Indices expert = random_experts(T, E, static_cast<uint32_t>(T));
      std::vector<float> gate = test::random_values(T, static_cast<uint32_t>(E), 0.0f, 1.0f);
      EXPECT_EQ(slots_of(expert, gate, E), slots_by_walking(expert, gate, E));
      for (float& value : gate) value = std::ceil(value * 3) / 3;  // three values, a third of them exactly 1
      EXPECT_EQ(slots_of(expert, gate, E), slots_by_walking(expert, gate, E));
    }
  }
}

TEST(RankSlots, HoldsWithAllTokensAtOneExpertAndTheOthersEmpty) {
  const Indices expert(300, 2);
  const std::vector<float> gate = test::random_values(300, 1, 0.0f, 1.0f);
  EXPECT_EQ(slots_of(expert, gate, 5), slots_by_walking(expert, gate, 5));
}

TEST(RankSlots, GivesNoSlotWithoutAnExpert) {
  EXPECT_EQ(slots_of({-1, 0, -1, 0}, {0.9f, 0.1f, 0.8f, 0.2f}, 1), (Indices{-1, 1, -1, 0}));
}

TEST(RankSlots, EndsAndGivesEverySlotOnceWhereGatesAreNoNumbers) {
  std::vector<float> gate = test::random_values(500, 1, 0.0f, 1.0f);
  for (size_t i = 0; i < gate.size(); i += 3) gate[i] = NAN;
  Indices slot = slots_of(Indices(500, 0), gate, 1);
  EXPECT_GE(slot[0], 333 - 1);  // behind every number
  std::sort(slot.begin(), slot.end());
  for (int32_t i = 0; i < 500; ++i) ASSERT_EQ(slot[i], i);
}

// ---- second choices ----

struct Places {
  Indices expert;
  Indices slot;
};

Places place(const std::vector<float>& probs, const std::vector<float>& gate, int64_t E, int64_t capacity,
             Indices expert, Indices slot) {
  const auto T = static_cast<int64_t>(expert.size());
  Indices order(expert.size()), buffer(expert.size()), taken(E);
  place_dropped(probs.data(), gate.data(), T, E, capacity, order.data(), buffer.data(), taken.data(), expert.data(),
                slot.data());
  return {expert, slot};
}

TEST(PlaceDropped, TakesTheMostProbableExpertWithRoom) {
  // Expert 0 is full; of the others token 2 prefers 2.
  const std::vector<float> probs = {0.9f, 0.1f, 0.0f, 0.8f, 0.1f, 0.1f, 0.7f, 0.1f, 0.2f};
  const Places places = place(probs, {0.9f, 0.8f, 0.7f}, 3, 2, {0, 0, -1}, {0, 1, -1});
  EXPECT_EQ(places.expert, (Indices{0, 0, 2}));
  EXPECT_EQ(places.slot, (Indices{0, 1, 0}));
}

TEST(PlaceDropped, ServesTheMostConfidentFirstAndAmongEqualsTheLowerToken) {
  // One slot is left, of expert 1: token 3 gets it, whose gate is the largest.
  const std::vector<float> probs = {0.6f, 0.4f, 0.7f, 0.3f, 0.7f, 0.3f, 0.8f, 0.2f};
  const std::vector<float> gate = {0.6f, 0.7f, 0.7f, 0.8f};
  EXPECT_EQ(place(probs, gate, 2, 1, {0, -1, -1, -1}, {0, -1, -1, -1}).expert, (Indices{0, -1, -1, 1}));
  EXPECT_EQ(place(probs, gate, 2, 1, {0, -1, -1, 0}, {0, -1, -1, 0}).expert, (Indices{0, 1, -1, 0}));
}

TEST(PlaceDropped, AmongEqualExpertsTheLowerComesFirst) {
  const Places places = place({1.0f, 0.0f, 0.0f, 1.0f, 0.0f, 0.0f}, {1.0f, 1.0f}, 3, 1, {0, -1}, {0, -1});
  EXPECT_EQ(places.expert, (Indices{0, 1}));
}

TEST(PlaceDropped, WithoutRoomOrWithoutNeedNothingChanges) {
  const std::vector<float> probs = {1.0f, 1.0f, 1.0f};
  EXPECT_EQ(place(probs, {1.0f, 1.0f, 1.0f}, 1, 2, {0, 0, -1}, {0, 1, -1}).expert, (Indices{0, 0, -1}));
  EXPECT_EQ(place(probs, {1.0f, 1.0f, 1.0f}, 1, 2, {0, 0, -1}, {0, 1, -1}).slot, (Indices{0, 1, -1}));
  EXPECT_EQ(place(probs, {1.0f, 1.0f, 1.0f}, 1, 3, {0, 0, 0}, {0, 1, 2}).slot, (Indices{0, 1, 2}));
  EXPECT_TRUE(place({}, {}, 1, 1, {}, {}).expert.empty());
}

TEST(PlaceDropped, OfNumbersThatAreNoneStaysInRange) {
  const Places places = place(std::vector<float>(6, NAN), {NAN, NAN, NAN}, 2, 1, {-1, -1, -1}, {-1, -1, -1});
  EXPECT_EQ(places.expert, (Indices{0, 1, -1}));
}

}  // namespace
}  // namespace moefb::kernels::routing
