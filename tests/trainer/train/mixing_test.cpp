// With given draws MixUp and CutMix are golden_trainer_test's; here boxes at the borders and the draws themselves.
#include "trainer/train/mixing.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace moefb::trainer {
namespace {

/// Two pictures: all 0 and all 1.
at::Tensor black_and_white(int64_t height, int64_t width) {
  return at::stack({at::zeros({3, height, width}), at::ones({3, height, width})});
}

MixDraw box_draw(double lam, int64_t x, int64_t y) {
  return {true, lam, at::tensor({1, 0}, at::kLong), x, y};
}

TEST(CutMix, BoxIsCutOffAtTheBordersAndCountedAsItIs) {
  // Half of the sides, 6 rows and 10 columns, around (0, 11): 2 rows and 5 columns are outside.
  const at::Tensor images = black_and_white(12, 20);
  const MixedBatch batch = mix(images, box_draw(0.75, 0, 11));
  const at::Tensor first = batch.images[0][0];
  EXPECT_EQ(first.sum().item<double>(), 4 * 5);
  EXPECT_EQ(first.narrow(0, 8, 4).narrow(1, 0, 5).sum().item<double>(), 4 * 5);
  EXPECT_DOUBLE_EQ(batch.lam, 1 - 20.0 / 240);
  EXPECT_EQ(images.sum().item<double>(), 3 * 240);  // the input stays as it was
}

TEST(CutMix, OddSidesLoseTheirLastPixel) {
  const MixedBatch batch = mix(black_and_white(10, 10), box_draw(0.75, 5, 5));  // int(10 * 0.5) = 5, halved to 2
  EXPECT_EQ(batch.images[0][0].sum().item<double>(), 16);
}

TEST(CutMix, NothingIsPastedWhenAllIsKept) {
  const at::Tensor images = black_and_white(4, 4);
  const MixedBatch batch = mix(images, box_draw(1.0, 2, 2));
  EXPECT_TRUE(batch.images.equal(images));
  EXPECT_EQ(batch.lam, 1);
}

TEST(MixedCrossEntropy, CountsBothLabelsByTheirShare) {
  const at::Tensor logits = at::tensor({2.0, 0.0, -1.0, 0.5, 1.5, 0.0}).view({2, 3});
  const at::Tensor labels = at::tensor({0, 2}, at::kLong);
  const MixedBatch batch = {{}, at::tensor({1, 0}, at::kLong), 0.7};
  const at::Tensor p = at::log_softmax(logits, 1);
  const double expected = -0.5 * (0.7 * p[0][0] + 0.3 * p[0][2] + 0.7 * p[1][2] + 0.3 * p[1][0]).item<double>();
  EXPECT_NEAR(mixed_cross_entropy(logits, labels, batch, 0).item<double>(), expected, 1e-6);
}

TEST(DrawMix, FollowsItsDistributions) {
  const at::Tensor images = at::empty({8, 3, 6, 9});
  const at::Generator generator = at::detail::createCPUGenerator(5);
  MixConfig config;
  config.mixup_alpha = 0.2;
  int64_t cutmixes = 0, extreme = 0, mixups = 0;
  double lam_sum = 0;
  constexpr int kDraws = 4000;
  for (int i = 0; i < kDraws; ++i) {
    const MixDraw draw = draw_mix(config, images.sizes(), generator);
    ASSERT_TRUE(std::get<0>(draw.perm.sort()).equal(at::arange(8)));
    ASSERT_TRUE(draw.center_x >= 0 && draw.center_x < 9 && draw.center_y >= 0 && draw.center_y < 6);
    ASSERT_TRUE(draw.lam >= 0 && draw.lam <= 1);
    lam_sum += draw.lam;
    cutmixes += draw.cutmix;
    mixups += !draw.cutmix;
    extreme += !draw.cutmix && (draw.lam < 0.1 || draw.lam > 0.9);
  }
  EXPECT_NEAR(double(cutmixes) / kDraws, 0.3, 0.04);
  EXPECT_NEAR(lam_sum / kDraws, 0.5, 0.03);
  // Beta(0.2, 0.2) lies at the ends: 0.67 of it within a tenth of them (uniform: 0.2).
  EXPECT_NEAR(double(extreme) / double(mixups), 0.67, 0.05);
}

TEST(DrawMix, IsTheSameFromTheSameSeed) {
  const at::Tensor images = at::empty({8, 3, 6, 9});
  const auto draw = [&] { return draw_mix({}, images.sizes(), at::detail::createCPUGenerator(6)); };
  EXPECT_EQ(draw().lam, draw().lam);
  EXPECT_TRUE(draw().perm.equal(draw().perm));
  EXPECT_EQ(draw().center_x, draw().center_x);
}

}  // namespace
}  // namespace moefb::trainer
