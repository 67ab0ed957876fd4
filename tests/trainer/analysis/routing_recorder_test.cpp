// What the recorder keeps of hand-made batches, and that its numbers are the published ones.
#include "trainer/analysis/routing_recorder.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "golden_fixtures.h"
#include "trainer/models/state_dict.h"

namespace moefb::trainer {
namespace {

ModelConfig head_config(HeadKind head, int64_t experts, int64_t k, int64_t classes) {
  ModelConfig config;
  config.head = head;
  config.num_experts = experts;
  config.k = k;
  config.num_classes = classes;
  return config;
}

NetworkOutput sparse_output(const at::Tensor& scores, int64_t k) {
  NetworkOutput out;
  out.head.gate_scores = scores;
  out.head.topk_idx = std::get<1>(scores.topk(k, 1));
  const at::Tensor chosen = at::zeros_like(scores, at::kBool).scatter(1, out.head.topk_idx, true);
  out.head.probs = at::softmax(scores.masked_fill(chosen.logical_not(), -INFINITY), 1);
  return out;
}

TEST(RoutingRecorder, KeepsFirstAndFurtherChoicesOfASparseHead) {
  RoutingRecorder recorder(head_config(HeadKind::kSparse, 3, 2, 2));
  recorder.add(sparse_output(at::tensor({0.f, 2.f, 1.f, 3.f, 0.f, 1.f}).reshape({2, 3}), 2), at::tensor({0L, 1L}));
  recorder.add(sparse_output(at::tensor({0.f, 1.f, 2.f}).reshape({1, 3}), 2), at::tensor({1L}));
  const RoutedLayer layer = recorder.layers().at(0);
  EXPECT_EQ(layer.choices.layer, -1);
  EXPECT_EQ(layer.choices.first, (std::vector<int32_t>{1, 0, 2}));
  EXPECT_EQ(layer.choices.chosen, (std::vector<int32_t>{1, 2, 0, 2, 2, 1}));
  EXPECT_EQ(layer.choices.pictures(), 3);
  EXPECT_EQ(layer.dropped, 0);
  const double all = std::exp(0.) + std::exp(1.) + std::exp(2.);
  EXPECT_NEAR(layer.choices.sureness[0], std::exp(2.) / all, 1e-6);
  EXPECT_NEAR(layer.load[0], 1. / 3, 1e-12);
  EXPECT_NEAR(layer.load[2], 1, 1e-12);
  ASSERT_EQ(layer.class_mixture.size(), 2u);
  EXPECT_NEAR(layer.class_mixture[0][1] + layer.class_mixture[0][2], 1, 1e-6);
}

TEST(RoutingRecorder, OfAHardHeadKnowsHowSureItWasThoughTheWeightIsOne) {
  RoutingRecorder recorder(head_config(HeadKind::kSparse, 2, 1, 2));
  recorder.add(sparse_output(at::tensor({0.f, 0.1f}).reshape({1, 2}), 1), at::tensor({0L}));
  const RoutedLayer layer = recorder.layers().at(0);
  EXPECT_NEAR(layer.choices.sureness[0], 1 / (1 + std::exp(-0.1)), 1e-6);
  EXPECT_TRUE(layer.choices.chosen.empty());
  EXPECT_EQ(layer.utilisation, (std::vector<double>{0, 1}));
}

/// A routing of 4 tokens by 2 experts, the last token dropped.
Routing routing_of(const at::Tensor& probs) {
  Routing routing;
  routing.scaled_logits = probs.log();
  routing.probs = probs;
  routing.expert = at::tensor({0L, 1L, 0L, -1L});
  routing.weight = (routing.expert >= 0).to(at::kFloat);
  routing.capacity = 2;
  routing.logits_std = routing.scaled_logits.std();
  return routing;
}

TEST(RoutingRecorder, OfPatchesKnowsDroppedTokensByTheirFirstChoice) {
  PatchNetConfig config;
  config.num_classes = 2;
  config.num_experts = 2;
  config.layer_number = 1;
  config.image_height = config.image_width = 8;
  config.patch_size = 2;  // a map of 4: 2 x 2 patches
  config.use_kernels(3, 3);
  RoutingRecorder recorder(config);
  NetworkOutput out;
  const at::Tensor probs = at::tensor({.9f, .1f, .2f, .8f, .6f, .4f, .7f, .3f}).reshape({4, 2});
  out.routing.push_back({0, routing_of(probs)});
  recorder.add(out, at::tensor({1L}));
  const RoutedLayer layer = recorder.layers().at(0);
  EXPECT_EQ(layer.choices.first, (std::vector<int32_t>{0, 1, 0, 0}));
  EXPECT_EQ(layer.choices.rows, 2);
  EXPECT_EQ(layer.choices.pictures(), 1);
  EXPECT_EQ(layer.dropped, 1);
  EXPECT_EQ(layer.load, (std::vector<double>{0.5, 0.25}));
  EXPECT_NEAR(layer.utilisation[0], 0.6, 1e-6);
  EXPECT_TRUE(layer.class_mixture.empty());
  const nlohmann::ordered_json router = recorder.router_metrics();
  EXPECT_EQ(router.at("drop_rate"), 0.25);
  EXPECT_EQ(router.at("layers").size(), 1u);
}

TEST(RoutingRecorder, SaysWhichNetworksHaveExperts) {
  EXPECT_TRUE(RoutingRecorder::has_experts(head_config(HeadKind::kSoft, 2, 1, 2)));
  EXPECT_FALSE(RoutingRecorder::has_experts(head_config(HeadKind::kDense, 2, 1, 2)));
  EXPECT_FALSE(RoutingRecorder::has_experts(Resnet18Config()));
  EXPECT_TRUE(RoutingRecorder::has_experts(PatchNetConfig()));
}

void expect_published(const std::vector<double>& found, const at::Tensor& published) {
  ASSERT_EQ(int64_t(found.size()), published.numel());
  const at::Tensor expected = published.to(at::kDouble).contiguous();
  for (size_t i = 0; i < found.size(); ++i) {
    const double value = expected.const_data_ptr<double>()[i];
    EXPECT_NEAR(found[i], value, 1e-6 * std::abs(value) + 1e-12) << "element " << i;
  }
}

void check_fixture(const golden::Fixture& fixture) {
  SCOPED_TRACE(fixture.name);
  const safetensors::File io = fixture.io();
  const bool sparse = io.tensors.contains("load");
  const int64_t classes = fixture.config.at("num_classes").get<int64_t>();
  const int64_t experts = fixture.config.at("num_experts").get<int64_t>();
  RoutingRecorder recorder(head_config(sparse ? HeadKind::kSparse : HeadKind::kSoft, experts, 2, classes));
  for (int b = 0; b < fixture.config.at("batches").get<int>(); ++b) {
    const std::string prefix = "batch" + std::to_string(b) + ".";
    NetworkOutput out;
    out.head.probs = to_torch(io.tensors.at(prefix + "probs"));
    if (sparse) {
      out.head.gate_scores = out.head.probs;  // as good as any: the statistics are of the mixture weights
      out.head.topk_idx = std::get<1>(out.head.probs.topk(2, 1));
    }
    recorder.add(out, to_torch(io.tensors.at(prefix + "target")));
  }
  const RoutedLayer layer = recorder.layers().at(0);
  expect_published(layer.utilisation, to_torch(io.tensors.at("util")));
  expect_published({layer.entropy}, to_torch(io.tensors.at("entropy")));
  if (sparse) expect_published(layer.load, to_torch(io.tensors.at("load")));
  std::vector<double> mixture;
  for (const auto& row : layer.class_mixture) mixture.insert(mixture.end(), row.begin(), row.end());
  expect_published(mixture, to_torch(io.tensors.at("class_expert_mean")));
}

TEST(RoutingRecorder, StatisticsAreThoseOfThePublishedCode) {
  int checked = 0;
  for (const golden::Fixture& fixture : golden::all_fixtures()) {
    if (fixture.kind() != "cifar_metrics") continue;
    check_fixture(fixture);
    ++checked;
  }
  EXPECT_EQ(checked, 2) << "fixtures seed1_metrics_soft and seed1_metrics_sparse";
}

}  // namespace
}  // namespace moefb::trainer
