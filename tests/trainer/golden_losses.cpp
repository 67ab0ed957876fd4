// The routers' losses and statistics alone.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "trainer/golden_checks.h"
#include "trainer/golden_compare.h"
#include "trainer/models/losses.h"
#include "trainer/train/routing_stats.h"

namespace moefb::golden {
namespace {

constexpr double kStatisticsLimit = 1e-6;

/// Compares a loss and its derivative with respect to `of`.
void check_loss(const std::string& name, const at::Tensor& loss, const at::Tensor& of, const std::string& gradient,
                const Tensors& io) {
  expect_close(name, loss, io[name], kForwardLimit);
  at::Tensor leaf = of;
  leaf.mutable_grad() = at::Tensor();
  loss.backward();
  expect_close(gradient, of.grad(), io[gradient], kHeadGradientLimit);
}

void check_case(const std::string& prefix, double coef, const Tensors& io) {
  const at::Tensor probs = io[prefix + "probs"].clone().requires_grad_();
  const at::Tensor load = io[prefix + "probs"].sum(0).requires_grad_();
  check_loss(prefix + "softmoe_kl", trainer::soft_balance_loss(probs, coef), probs, prefix + "softmoe_kl.grad_probs",
             io);
  check_loss(prefix + "importance", trainer::importance_loss(probs, coef), probs, prefix + "importance.grad_probs", io);
  check_loss(prefix + "load", trainer::load_loss(probs.sum(0), coef), probs, prefix + "load.grad_probs", io);
  check_loss(prefix + "load", trainer::load_loss(load, coef), load, prefix + "load.grad_load", io);
}

at::Tensor as_tensor(const std::vector<double>& values) {
  return at::tensor(values, at::kDouble);
}

}  // namespace

void check_losses(const Fixture& fixture) {
  const Tensors io(fixture.io());
  const auto& cases = fixture.config.at("cases");
  for (size_t i = 0; i < cases.size(); ++i) {
    check_case("case" + std::to_string(i) + ".", cases[i].at(2).get<double>(), io);
  }
}

void check_routing_stats(const Fixture& fixture) {
  const Tensors io(fixture.io());
  trainer::RoutingStats stats(fixture.config.at("num_experts").get<int64_t>());
  std::vector<at::Tensor> probs, targets;
  for (int b = 0; b < fixture.config.at("batches").get<int>(); ++b) {
    const std::string prefix = "batch" + std::to_string(b) + ".";
    probs.push_back(io[prefix + "probs"]);
    targets.push_back(io[prefix + "target"]);
    stats.add(probs.back());
  }
  expect_close("util", as_tensor(stats.utilisation()), io["util"], kStatisticsLimit);
  expect_close("entropy", at::scalar_tensor(stats.entropy(), at::kDouble), io["entropy"], kStatisticsLimit);
  if (io.has("load")) expect_close("load", as_tensor(stats.load()), io["load"], kStatisticsLimit);
  const int64_t classes = fixture.config.at("num_classes").get<int64_t>();
  expect_close("class_expert_mean", trainer::class_expert_mean(at::cat(probs), at::cat(targets), classes),
               io["class_expert_mean"], kStatisticsLimit);
}

}  // namespace moefb::golden
