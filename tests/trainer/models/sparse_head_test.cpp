// The options of the sparse head, and its behaviour in training; its arithmetic is golden_trainer_test's.
#include "trainer/models/sparse_head.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace moefb::trainer {
namespace {

ModelConfig small_config() {
  ModelConfig config;
  config.in_dim = 12;
  config.num_classes = 5;
  config.num_experts = 6;
  config.hidden_mult = 0.5;
  return config;
}

SparseHead make_seeded_head(const ModelConfig& config) {
  at::manual_seed(1);
  return SparseHead(config);
}

at::Tensor features(int64_t rows) {
  return at::randn({rows, 12}, at::detail::createCPUGenerator(2));
}

/// Experts 1 and 3 get equal gate rows, so that they tie wherever they are in second place.
void tie_two_experts(SparseHead& head) {
  const at::NoGradGuard no_grad;
  for (auto& item : head.named_parameters()) {
    if (item.key().starts_with("gate.w_gate")) item.value()[3].copy_(item.value()[1]);
  }
}

int64_t rows_with_more_than(const at::Tensor& probs, int64_t k) {
  return probs.gt(0).sum(1).gt(k).sum().item<int64_t>();
}

TEST(SparseHead, ThresholdRuleKeepsTiesAndIndexRuleDoesNot) {
  ModelConfig config = small_config();
  for (const MaskRule rule : {MaskRule::kThreshold, MaskRule::kIndex}) {
    config.mask_rule = rule;
    SparseHead head = make_seeded_head(config);
    tie_two_experts(head);
    head.eval();
    const HeadOutput out = head.forward(features(64), nullptr);
    if (rule == MaskRule::kThreshold) {
      EXPECT_GT(rows_with_more_than(out.probs, config.k), 0);
    } else {
      EXPECT_EQ(rows_with_more_than(out.probs, config.k), 0);
      EXPECT_TRUE(out.probs.gather(1, out.topk_idx).sum(1).allclose(at::ones({64})));
    }
  }
}

double gate_gradient(CombineWeight rule) {
  ModelConfig config = small_config();
  config.k = 1;
  config.combine_weight = rule;
  SparseHead head = make_seeded_head(config);
  const HeadOutput out = head.forward(features(32), nullptr);
  (at::cross_entropy_loss(out.logits, at::zeros({32}, at::kLong)) + out.aux_loss).backward();
  return head.named_parameters()["gate.w_gate.weight"].grad().abs().max().item<double>();
}

TEST(SparseHead, WithOneExpertOnlyTheGateRuleTeachesTheGate) {
  EXPECT_EQ(gate_gradient(CombineWeight::kPublished), 0);
  EXPECT_GT(gate_gradient(CombineWeight::kGate), 0);
}

double gate_gradient_of_load_loss(LoadEstimator estimator) {
  ModelConfig config = small_config();
  config.k = 1;
  config.importance_coef = 0;
  config.load_estimator = estimator;
  SparseHead head = make_seeded_head(config);
  head.forward(features(32), nullptr).aux_loss.backward();
  return head.named_parameters()["gate.w_gate.weight"].grad().abs().max().item<double>();
}

TEST(SparseHead, WithOneExpertOnlyTheSmoothLoadBalancesTheGate) {
  EXPECT_EQ(gate_gradient_of_load_loss(LoadEstimator::kMass), 0);
  EXPECT_GT(gate_gradient_of_load_loss(LoadEstimator::kSmooth), 0);
}

TEST(SparseHead, SmoothLoadNeedsTheNoiseOfTraining) {
  ModelConfig config = small_config();
  config.load_estimator = LoadEstimator::kSmooth;
  SparseHead head = make_seeded_head(config);
  const HeadOutput training = head.forward(features(32), nullptr);
  ASSERT_TRUE(training.smooth_load.defined());
  EXPECT_EQ(training.smooth_load.sizes(), at::IntArrayRef{6});
  head.eval();
  EXPECT_FALSE(head.forward(features(32), nullptr).smooth_load.defined());
}

TEST(SparseHead, GateRuleWeighsWithTheProbabilityBeforeTheMask) {
  ModelConfig config = small_config();
  config.k = 1;
  config.combine_weight = CombineWeight::kGate;
  SparseHead head = make_seeded_head(config);
  head.eval();
  const at::NoGradGuard no_grad;
  const at::Tensor input = features(16);
  const HeadOutput out = head.forward(input, nullptr);
  const at::Tensor weight = at::softmax(out.gate_scores, 1).gather(1, out.topk_idx);
  const at::Tensor index = out.topk_idx.unsqueeze(2).expand({16, 1, 5});
  const at::Tensor answer = head.expert_logits(input).gather(1, index).squeeze(1);
  EXPECT_TRUE(out.logits.allclose(weight * answer, 1e-5, 1e-6));
}

TEST(SparseHead, AllExpertsMeansPlainSoftmax) {
  ModelConfig config = small_config();
  config.k = config.num_experts;
  SparseHead head = make_seeded_head(config);
  head.eval();
  const HeadOutput out = head.forward(features(8), nullptr);
  EXPECT_TRUE(out.probs.allclose(at::softmax(out.gate_scores, 1)));
}

TEST(SparseHead, DrawsNoiseInTrainingOnly) {
  SparseHead head = make_seeded_head(small_config());
  const at::Tensor input = features(8);
  head.train();
  EXPECT_FALSE(head.forward(input, nullptr).gate_scores.equal(head.forward(input, nullptr).gate_scores));
  head.eval();
  EXPECT_TRUE(head.forward(input, nullptr).gate_scores.equal(head.forward(input, nullptr).gate_scores));
}

TEST(SparseHead, HasNoAuxiliaryLossWithoutCoefficients) {
  ModelConfig config = small_config();
  config.importance_coef = 0;
  EXPECT_TRUE(make_seeded_head(config).forward(features(8), nullptr).aux_loss.defined());
  config.load_coef = 0;
  EXPECT_FALSE(make_seeded_head(config).forward(features(8), nullptr).aux_loss.defined());
}

}  // namespace
}  // namespace moefb::trainer
