#include "trainer/train/agreement.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <limits>

#include "converter/temporary_folder.h"

namespace moefb::trainer {
namespace {

/// n pictures of two classes; in each the first leads by 1 and the largest logit is 10.
at::Tensor leading_by_one(int64_t n) {
  return at::tensor({10.0f, 9.0f}).repeat({n, 1});
}

/// The same answers, but for the second class in the first `count` pictures.
at::Tensor with_others(const at::Tensor& logits, int64_t count) {
  at::Tensor changed = logits.clone();
  changed.narrow(0, 0, count).copy_(logits.narrow(0, 0, count).flip(1));
  return changed;
}

TEST(Agreement, EqualAnswersAreGood) {
  const Agreement agreement = compare_answers(leading_by_one(50), leading_by_one(50), false);
  EXPECT_TRUE(agreement.good());
  EXPECT_EQ(agreement.same, 50);
  EXPECT_EQ(agreement.max_error, 0);
}

TEST(Agreement, OneOtherClassIsTooManyInF32) {
  const Agreement agreement = compare_answers(leading_by_one(5000), with_others(leading_by_one(5000), 1), false);
  EXPECT_FALSE(agreement.good());
  EXPECT_EQ(agreement.same, 4999);
  EXPECT_TRUE(testing::contains(describe_disagreement(agreement), "found 1 of 5000 pictures with another class"));
}

TEST(Agreement, RoundingMayDecideBetweenEquals) {
  at::Tensor own = leading_by_one(10);
  own[3][1] = 10.0f - 1e-4f;  // within 2 * 2e-5 * 10
  EXPECT_TRUE(compare_answers(own, own.flip(1).where(at::arange(10).eq(3).unsqueeze(1), own), false).good());
  own[3][1] = 10.0f - 1e-3f;
  EXPECT_FALSE(compare_answers(own, own.flip(1).where(at::arange(10).eq(3).unsqueeze(1), own), false).good());
}

TEST(Agreement, Bf16MayMoveOnePictureInAHundred) {
  at::Tensor own = leading_by_one(200);
  own.select(1, 1).fill_(8.0f);  // a lead of 2 is more than 2 * 5e-2 * 10
  EXPECT_TRUE(compare_answers(own, with_others(own, 2), true).good());
  EXPECT_FALSE(compare_answers(own, with_others(own, 3), true).good());
  EXPECT_FALSE(compare_answers(own.narrow(0, 0, 99), with_others(own.narrow(0, 0, 99), 1), true).good());
}

TEST(Agreement, AnAnswerThatIsNoNumberIsNoAgreement) {
  at::Tensor runtime = leading_by_one(10);
  runtime[0][1] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_FALSE(compare_answers(leading_by_one(10), runtime, false).good());
}

}  // namespace
}  // namespace moefb::trainer
