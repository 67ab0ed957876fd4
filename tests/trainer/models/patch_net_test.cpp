// Sizes, options and behaviour in training of the whole patch network; its arithmetic is golden_trainer_test's.
#include "trainer/models/patch_net.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "trainer/models/state_dict.h"

namespace moefb::trainer {
namespace {

PatchNetConfig small_config() {
  PatchNetConfig config;
  config.num_classes = 5;
  config.base_channels = 4;
  config.patch_size = 8;
  config.router_temp = 1.0;
  return config;
}

PatchNet seeded_net(const PatchNetConfig& config, DispatchKind dispatch = DispatchKind::kIndex) {
  at::manual_seed(1);
  return PatchNet(config, dispatch);
}

at::Tensor pictures(int64_t images, int64_t height, int64_t width) {
  return at::randn({images, 3, height, width}, at::detail::createCPUGenerator(2));
}

at::Tensor training_loss(const NetworkOutput& out) {
  return at::cross_entropy_loss(out.logits, at::zeros({out.logits.size(0)}, at::kLong)) + out.aux_loss;
}

int64_t count_parameters(const torch::nn::Module& module) {
  int64_t count = 0;
  for (const auto& parameter : module.parameters()) count += parameter.numel();
  return count;
}

TEST(PatchNet, ParameterCountsAreThePublishedOnes) {
  PatchNetConfig config;
  config.num_classes = 200;
  for (const auto& [experts, expected] :
       std::map<int64_t, int64_t>{{4, 33'501'017}, {8, 58'888'765}, {16, 109'664'261}}) {
    config.num_experts = experts;
    EXPECT_EQ(count_parameters(PatchNet(config)), expected) << experts << " experts";
  }
}

TEST(PatchNet, KernelsOfOneByOneChangeShapesButNoKey) {
  PatchNetConfig config = small_config();
  const safetensors::File published = state_dict(PatchNet(config));
  config.expert_kernel = {3, 3, 3, 3, 1};
  config.post_kernel = {1, 1, 1, 1, 1};
  PatchNet net(config);
  const safetensors::File variant = state_dict(net);
  for (const auto& [key, tensor] : published.tensors) ASSERT_TRUE(variant.tensors.contains(key)) << key;
  EXPECT_EQ(variant.tensors.size(), published.tensors.size());
  using Shape = std::vector<int64_t>;
  EXPECT_EQ(variant.tensors.at("layers.5.experts.0.conv_block.0.weight").shape, (Shape{16, 16, 3, 3}));
  EXPECT_EQ(variant.tensors.at("layers.7.experts.0.conv_block.3.weight").shape, (Shape{32, 32, 1, 1}));
  EXPECT_EQ(variant.tensors.at("layers.0.post_block.0.weight").shape, (Shape{4, 4, 1, 1}));
  training_loss(net.forward(pictures(2, 64, 64))).backward();
}

/// Largest difference over largest value.
double relative_error(const at::Tensor& found, const at::Tensor& expected) {
  return ((found - expected).abs().max() / expected.abs().max()).item<double>();
}

/// Gradients by name; an undefined one where there is none.
std::map<std::string, at::Tensor> gradients(PatchNet& net) {
  training_loss(net.forward(pictures(3, 64, 64))).backward();
  std::map<std::string, at::Tensor> found;
  for (const auto& item : net.named_parameters()) found[item.key()] = item.value().grad();
  return found;
}

TEST(PatchNet, BothFormsOfDispatchTrainAlike) {
  PatchNetConfig config = small_config();
  for (const CapacityGroup group : {CapacityGroup::kBatch, CapacityGroup::kImage, CapacityGroup::kNone}) {
    config.router.capacity_group = group;
    config.router.capacity_factor_train = 1.0;
    PatchNet index = seeded_net(config);
    PatchNet onehot = seeded_net(config, DispatchKind::kOnehot);
    for (PatchNet* net : {&index, &onehot}) net->set_phase({false, 0.5, 0}, {0.05, 1e-4, 0.01});
    const auto expected = gradients(onehot);
    for (const auto& [name, gradient] : gradients(index)) {
      ASSERT_EQ(gradient.defined(), expected.at(name).defined()) << name;
      if (gradient.defined()) {
        EXPECT_LT(relative_error(gradient, expected.at(name)), 2e-4) << name;
      }
    }
  }
}

TEST(PatchNet, ExpertWithoutTokensHasNoGradient) {
  PatchNet net = seeded_net(small_config());
  const at::NoGradGuard no_grad;
  // The gate of layer 0 is made to prefer expert 2, which has room for half of the tokens; all others are dropped.
  net.named_parameters()["layers.0.router_gate.mlp.1.bias"].copy_(at::tensor({0.f, 0.f, 50.f, 0.f}));
  {
    const at::AutoGradMode grad(true);
    training_loss(net.forward(pictures(2, 64, 64))).backward();
  }
  for (const auto& item : net.named_parameters()) {
    if (!item.key().starts_with("layers.0.experts.")) continue;
    EXPECT_EQ(item.value().grad().defined(), item.key().starts_with("layers.0.experts.2.")) << item.key();
  }
}

TEST(PatchNet, WithImageGroupsAPictureAnswersTheSameInAnyBatch) {
  PatchNetConfig config = small_config();
  config.router.capacity_group = CapacityGroup::kImage;
  config.router.capacity_factor_val = 1.0;
  PatchNet net = seeded_net(config);
  net.eval();
  const at::NoGradGuard no_grad;
  const at::Tensor batch = pictures(3, 64, 64);
  const at::Tensor together = net.forward(batch).logits;
  for (int64_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(net.forward(batch.narrow(0, i, 1)).logits.allclose(together.narrow(0, i, 1), 1e-4, 1e-5)) << i;
  }
}

TEST(PatchNet, PaddingOfPatchesStaysUnlessItIsCropped) {
  PatchNetConfig config = small_config();
  const at::Tensor images = pictures(1, 52, 70);  // after the stem 26 x 35, of which 8 divides neither side
  for (const bool crop : {false, true}) {
    config.crop_padding = crop;
    PatchNet net = seeded_net(config);
    Trace trace;
    net.forward(images, nullptr, &trace);
    const std::vector<int64_t> expected =
        crop ? std::vector<int64_t>{1, 4, 26, 35} : std::vector<int64_t>{1, 4, 32, 40};
    EXPECT_EQ(trace.at("layer0.out").sizes().vec(), expected);
    EXPECT_EQ(trace.at("layer0.positional").size(0), 4 * 5);
  }
}

TEST(PatchNet, NoiseIsDrawnInTraining) {
  PatchNet net = seeded_net(small_config());
  net.set_phase({false, 1.0, 0.05}, {});
  const at::Tensor images = pictures(1, 64, 64);
  const auto scores = [&] { return net.forward(images).routing.at(0).routing.scaled_logits; };
  EXPECT_FALSE(scores().equal(scores()));
  net.eval();
  EXPECT_TRUE(scores().equal(scores()));
}

TEST(PatchNet, OneExpertTrains) {
  PatchNetConfig config = small_config();
  config.num_experts = 1;
  PatchNet net = seeded_net(config);
  const NetworkOutput out = net.run(pictures(2, 64, 64));
  ASSERT_EQ(out.routing.size(), 5u);
  for (const auto& layer : out.routing) EXPECT_EQ((layer.routing.expert != 0).sum().item<int64_t>(), 0);
  training_loss(out).backward();
  EXPECT_GT(net.named_parameters()["layers.7.experts.0.conv_block.0.weight"].grad().abs().max().item<double>(), 0);
}

TEST(PatchNet, FullSizeTrainsOneStep) {
  PatchNetConfig config;
  config.num_classes = 200;
  PatchNet net(config);
  net.set_phase({false, 2.0, 0.05}, {0.05, 1e-4, 0.01});
  const NetworkOutput out = net.run(pictures(2, 224, 224));
  for (const auto& layer : out.routing) {
    EXPECT_EQ(layer.routing.expert.size(0), 2 * 49) << "layer " << layer.layer;
    EXPECT_EQ(layer.routing.capacity, 49);
  }
  training_loss(out).backward();
  for (const auto& item : net.named_parameters()) {
    const at::Tensor& gradient = item.value().grad();
    if (gradient.defined()) {
      EXPECT_TRUE(gradient.isfinite().all().item<bool>()) << item.key();
    }
  }
  EXPECT_TRUE(net.named_parameters()["stem.0.weight"].grad().defined());
}

}  // namespace
}  // namespace moefb::trainer
