// Places by hand; whole batches are golden_trainer_test's.
#include "trainer/models/patch_slots.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace moefb::trainer {
namespace {

std::vector<int64_t> list(const at::Tensor& tensor) {
  const at::Tensor plain = tensor.contiguous();
  const auto* first = plain.const_data_ptr<int64_t>();
  return {first, first + plain.numel()};
}

using Ints = std::vector<int64_t>;

TEST(PatchSlots, CapacityIsRoundedUpInFloat64AndAtLeastOne) {
  RouterOptions options;
  options.capacity_factor_train = 1.25;
  options.capacity_factor_val = 1.2;
  EXPECT_EQ(slot_limits(options, true, 48, 1, 4).capacity, 15);
  EXPECT_EQ(slot_limits(options, false, 50, 1, 4).capacity, 15);  // in float32 it would be 16
  EXPECT_EQ(slot_limits(options, false, 1, 1, 16).capacity, 1);
}

TEST(PatchSlots, GroupsDecideWhichTokensShareTheirSlots) {
  RouterOptions options;
  options.capacity_group = CapacityGroup::kImage;
  const SlotLimits image = slot_limits(options, false, 98, 2, 4);
  EXPECT_EQ(image.groups, 2);
  EXPECT_EQ(image.capacity, 25);
  options.capacity_group = CapacityGroup::kNone;
  EXPECT_EQ(slot_limits(options, false, 98, 2, 4).capacity, 98);
}

TEST(PatchSlots, ConfidentTokensComeFirstAndEqualOnesInOrder) {
  const at::Tensor probs = at::tensor({0.6, 0.4, 0.9, 0.1, 0.6, 0.4, 0.2, 0.8, 0.6, 0.4}).view({5, 2}).to(at::kFloat);
  const Assignment found = assign_by_confidence(probs, {2, 1, 3}, DropPolicy::kResidual);
  EXPECT_EQ(list(found.expert), (Ints{0, 0, 0, 1, -1}));
  EXPECT_EQ(list(found.slot), (Ints{1, 0, 2, 0, -1}));
}

TEST(PatchSlots, EqualProbabilitiesGoToTheLowerExpert) {
  const Assignment found = assign_by_confidence(at::full({2, 4}, 0.25), {4, 1, 2}, DropPolicy::kResidual);
  EXPECT_EQ(list(found.expert), (Ints{0, 0}));
}

TEST(PatchSlots, EveryGroupHasItsOwnSlots) {
  const at::Tensor probs = at::tensor({0.6, 0.4, 0.9, 0.1, 0.7, 0.3, 0.8, 0.2}).view({4, 2}).to(at::kFloat);
  const Assignment found = assign_by_confidence(probs, {2, 2, 1}, DropPolicy::kResidual);
  EXPECT_EQ(list(found.expert), (Ints{-1, 0, -1, 0}));
  EXPECT_EQ(list(found.slot), (Ints{-1, 0, -1, 0}));
}

TEST(PatchSlots, SecondChoiceIsTheMostProbableExpertWithRoom) {
  // All want expert 0. Token 1 stays; then token 2, the next in confidence, takes 1, and token 0 is left with 2.
  const at::Tensor probs = at::tensor({0.5, 0.3, 0.2, 0.8, 0.1, 0.1, 0.6, 0.3, 0.1}).view({3, 3}).to(at::kFloat);
  const Assignment found = assign_by_confidence(probs, {3, 1, 1}, DropPolicy::kSecondChoice);
  EXPECT_EQ(list(found.expert), (Ints{2, 0, 1}));
  EXPECT_EQ(list(found.slot), (Ints{0, 0, 0}));
}

TEST(PatchSlots, FirstChoicesComeBeforeAllSecondOnes) {
  // Token 2 is the least confident, yet expert 1 was its first choice: token 1, dropped by expert 0, comes after it.
  const at::Tensor probs = at::tensor({0.9, 0.1, 0.8, 0.2, 0.3, 0.7}).view({3, 2}).to(at::kFloat);
  const Assignment found = assign_by_confidence(probs, {2, 1, 1}, DropPolicy::kSecondChoice);
  EXPECT_EQ(list(found.expert), (Ints{0, -1, 1}));  // no room is left: still dropped
}

TEST(PatchSlots, SecondChoiceStaysInItsGroup) {
  const at::Tensor probs = at::tensor({0.9, 0.1, 0.8, 0.2, 0.4, 0.6, 0.3, 0.7}).view({4, 2}).to(at::kFloat);
  const Assignment found = assign_by_confidence(probs, {2, 2, 1}, DropPolicy::kSecondChoice);
  EXPECT_EQ(list(found.expert), (Ints{0, 1, 0, 1}));
  EXPECT_EQ(list(found.slot), (Ints{0, 0, 0, 0}));
}

TEST(PatchSlots, UniformDealsOutInTurnWithinEachGroup) {
  const at::Tensor like = at::empty({0});
  const Assignment batch = assign_uniformly(6, {4, 1, 1}, like);
  EXPECT_EQ(list(batch.expert), (Ints{0, 1, 2, 3, -1, -1}));
  const Assignment images = assign_uniformly(6, {2, 2, 2}, like);
  EXPECT_EQ(list(images.expert), (Ints{0, 1, 0, 0, 1, 0}));
  EXPECT_EQ(list(images.slot), (Ints{0, 0, 1, 0, 0, 1}));
}

}  // namespace
}  // namespace moefb::trainer
