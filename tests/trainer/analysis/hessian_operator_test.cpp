#include "trainer/analysis/hessian_operator.h"

#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "trainer/analysis/random_vectors.h"
#include "trainer/analysis/small_network.h"

namespace moefb::trainer {
namespace {

const std::vector<int64_t> kBatches = {5, 4, 2};

struct Problem {
  explicit Problem(const nlohmann::json& keys, RouteMode mode = RouteMode::kFree,
                   const std::vector<std::string>& prefixes = {})
      : network(small_network(keys)),
        vector(network->module(), prefixes),
        loss(*network, noise_pictures(keys["image"].get<int64_t>(), kBatches, 3), mode) {}

  at::Tensor direction(int64_t index) const {
    return normal_vector(vector.size(), 1, VectorUse::kDirection, index, vector.options());
  }
  at::Tensor product(const at::Tensor& v) const { return hessian_operator(loss, vector).apply(v); }

  std::shared_ptr<Network> network;
  ParameterVector vector;
  SampleLoss loss;
};

/// The mean gradient over the batches at the weights of this moment.
at::Tensor gradient(const Problem& problem) {
  at::Tensor sum = at::zeros({problem.vector.size()}, problem.vector.options());
  for (int64_t b = 0; b < problem.loss.batches(); ++b) {
    sum += problem.loss.weight(b) *
           problem.vector.join(torch::autograd::grad({problem.loss.batch_loss(b)}, problem.vector.parameters(), {},
                                                     std::nullopt, false, true));
  }
  return sum;
}

/// (gradient(w + h v) - gradient(w - h v)) / 2h
at::Tensor difference_quotient(const Problem& problem, const at::Tensor& v, double h) {
  DisplacedWeights weights(problem.vector);
  weights.move_by(h * v);
  const at::Tensor ahead = gradient(problem);
  weights.move_by(-h * v);
  return (ahead - gradient(problem)) / (2 * h);
}

void expect_near(const at::Tensor& found, const at::Tensor& expected, double relative) {
  const double scale = expected.abs().max().item<double>();
  EXPECT_GT(scale, 0);
  EXPECT_LT((found - expected).abs().max().item<double>(), relative * scale);
}

class HessianOfHead : public ::testing::TestWithParam<const char*> {};

TEST_P(HessianOfHead, IsTheSlopeOfTheGradient) {
  const Problem problem(head_keys(GetParam()));
  const at::Tensor v = problem.direction(1);
  expect_near(problem.product(v), difference_quotient(problem, v, 1e-7), 1e-5);
}

TEST_P(HessianOfHead, IsSymmetric) {
  for (const RouteMode mode : {RouteMode::kFree, RouteMode::kFrozen}) {
    const Problem problem(head_keys(GetParam()), mode);
    const at::Tensor u = problem.direction(1), v = problem.direction(2);
    const double forth = at::dot(u, problem.product(v)).item<double>();
    EXPECT_NEAR(forth, at::dot(v, problem.product(u)).item<double>(), 1e-10 * std::abs(forth));
  }
}

INSTANTIATE_TEST_SUITE_P(Heads, HessianOfHead, ::testing::Values("dense", "soft", "sparse", "hard"));

TEST(HessianOperator, OfResnet18IsTheSlopeOfTheGradient) {
  const Problem problem({{"kind", "resnet18"}, {"num_classes", 3}, {"image", 32}, {"width0", 1}});
  const at::Tensor v = problem.direction(1);
  expect_near(problem.product(v), difference_quotient(problem, v, 1e-7), 1e-5);
}

// Frozen, nothing jumps and no slope is borrowed: the product is that of the loss itself.
TEST(HessianOperator, OfAPatchNetworkWithFrozenRoutesIsTheSlopeOfTheGradient) {
  const Problem problem(patch_keys(), RouteMode::kFrozen);
  const at::Tensor v = problem.direction(1);
  expect_near(problem.product(v), difference_quotient(problem, v, 1e-7), 1e-5);
}

TEST(HessianOperator, OfAPatchNetworkIsSymmetricInBothModes) {
  for (const RouteMode mode : {RouteMode::kFree, RouteMode::kFrozen}) {
    const Problem problem(patch_keys(), mode);
    const at::Tensor u = problem.direction(1), v = problem.direction(2);
    const double forth = at::dot(u, problem.product(v)).item<double>();
    EXPECT_NEAR(forth, at::dot(v, problem.product(u)).item<double>(), 1e-10 * std::abs(forth));
  }
}

/// The largest entry of the product's part that belongs to parameters of this prefix.
double largest_within(const Problem& problem, const at::Tensor& product, const std::string& prefix) {
  double largest = 0;
  const std::vector<at::Tensor> parts = problem.vector.split(product);
  const auto names = problem.network->module().named_parameters().keys();
  for (size_t i = 0; i < parts.size(); ++i) {
    if (names[i].starts_with(prefix)) largest = std::max(largest, parts[i].abs().max().item<double>());
  }
  return largest;
}

TEST(HessianOperator, FrozenRoutesTakeTheGateOutAndLeaveTheExperts) {
  const Problem free(head_keys("sparse"));
  const Problem frozen(head_keys("sparse"), RouteMode::kFrozen);
  EXPECT_NEAR(free.loss.evaluate().loss, frozen.loss.evaluate().loss, 1e-15);
  const at::Tensor v = free.direction(1);
  EXPECT_GT(largest_within(free, free.product(v), "head.gate.w_gate"), 1e-6);
  EXPECT_EQ(largest_within(frozen, frozen.product(v), "head.gate"), 0);
  EXPECT_GT(largest_within(frozen, frozen.product(v), "head.experts"), 1e-6);
}

TEST(HessianOperator, FrozenRoutesStayWhereTheWeightsGo) {
  const Problem free(head_keys("hard"));
  const Problem frozen(head_keys("hard"), RouteMode::kFrozen);
  const auto far = [](const Problem& problem) {  // turns the gate over
    DisplacedWeights weights(problem.vector);
    std::vector<at::Tensor> step;
    const auto named = problem.network->module().named_parameters();
    for (const auto& item : named) {
      const bool gate = item.key().starts_with("head.gate.w_gate");
      step.push_back(gate ? -2 * item.value().detach() : at::zeros_like(item.value().detach()));
    }
    weights.move_by(problem.vector.join(step));
    return problem.loss.evaluate().loss;
  };
  EXPECT_EQ(far(frozen), frozen.loss.evaluate().loss);
  EXPECT_NE(far(free), free.loss.evaluate().loss);
}

// The published estimator stumbled over them (spec/cifar-heads.md, section 13, flaw 6).
TEST(HessianOperator, UnusedParametersHaveRowsOfZeros) {
  const Problem problem(head_keys("sparse"));
  const at::Tensor product = problem.product(problem.direction(1));
  EXPECT_EQ(largest_within(problem, product, "head.gate.w_noise"), 0);
  const Problem unused(head_keys("sparse"), RouteMode::kFree, {"head.gate.w_noise"});
  EXPECT_EQ(unused.product(unused.direction(1)).abs().max().item<double>(), 0);
}

TEST(HessianOperator, OfSelectedParametersIsABlockOfTheWhole) {
  const Problem whole(head_keys("soft"));
  const Problem head(head_keys("soft"), RouteMode::kFree, {"head."});
  const at::Tensor v = head.direction(1);
  const int64_t before = whole.vector.size() - head.vector.size();
  const at::Tensor padded = at::cat({at::zeros({before}, v.options()), v});
  expect_near(head.product(v), whole.product(padded).narrow(0, before, v.numel()), 1e-12);
}

TEST(HessianOperator, DoesNotDependOnHowTheSampleIsCut) {
  const Problem problem(head_keys("sparse"));
  PictureSample pieces = noise_pictures(8, kBatches, 3);
  std::vector<at::Tensor> images, labels;
  for (const PictureBatch& batch : pieces) {
    images.push_back(batch.images);
    labels.push_back(batch.labels);
  }
  const SampleLoss one(*problem.network, {{at::cat(images), at::cat(labels)}}, RouteMode::kFree);
  const at::Tensor v = problem.direction(1);
  expect_near(hessian_operator(one, problem.vector).apply(v), problem.product(v), 1e-12);
}

TEST(HessianOperator, KeptGraphsGiveTheSameBits) {
  const Problem problem(head_keys("sparse"));
  const SymmetricOperator kept = hessian_operator(problem.loss, problem.vector, Graphs::kKeep);
  for (int i = 1; i <= 3; ++i) {
    const at::Tensor v = problem.direction(i);
    EXPECT_TRUE(kept.apply(v).equal(problem.product(v)));
  }
}

TEST(HessianOperator, StopsBetweenBatches) {
  const Problem problem(head_keys("dense"));
  int asked = 0;
  const SymmetricOperator op =
      hessian_operator(problem.loss, problem.vector, Graphs::kRebuild, [&] { return ++asked == 2; });
  EXPECT_THROW(op.apply(problem.direction(1)), Stopped);
  EXPECT_EQ(asked, 2);
}

}  // namespace
}  // namespace moefb::trainer
