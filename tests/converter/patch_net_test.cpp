#include "converter/patch_net.h"

#include <gtest/gtest.h>

#include "converter/build_helpers.h"

namespace moefb::convert {
namespace {

TEST(BuildPatchNet, FollowsTheTableOfLayers) {
  SyntheticWeights w;
  w.add_patch_net(2, 8, 3);
  const BuiltModel built = build(patch_config(224, 16), w);
  const fb::ModelT& graph = *built.graph;
  EXPECT_EQ(shape_named(graph, "stem"), (Sizes{8, 112, 112}));
  EXPECT_EQ(shape_named(graph, "layer1.merged"), (Sizes{8, 112, 112}));
  EXPECT_EQ(shape_named(graph, "layer2.out"), (Sizes{16, 56, 56}));
  EXPECT_EQ(shape_named(graph, "layer5.out"), (Sizes{32, 28, 28}));
  EXPECT_EQ(shape_named(graph, "layer7.merged"), (Sizes{64, 14, 14}));
  EXPECT_EQ(shape_named(graph, "pooled"), Sizes{64});
  std::vector<uint32_t> patches;
  for (const auto& stage : graph.stages) {
    if (stage->moe != nullptr) patches.push_back(stage->moe->patch);
  }
  EXPECT_EQ(patches, (std::vector<uint32_t>{16, 16, 8, 4, 2}));
}

TEST(BuildPatchNet, RouterIsThePublishedOne) {
  SyntheticWeights w;
  w.add_patch_net(2, 8, 3);
  Config config = patch_config(64, 8);
  config.capacity_group = fb::CapacityGroup::image;
  const BuiltModel built = build(config, w);
  const fb::MoET& moe = last_moe(*built.graph);
  const fb::RouterT& router = *moe.router;
  EXPECT_EQ(moe.published_layer, 7);
  EXPECT_TRUE(moe.residual);
  EXPECT_GE(moe.gamma, 0);
  EXPECT_EQ(router.kind, fb::RouterKind::patch_top1);
  EXPECT_TRUE(router.pool_mean && router.pool_max && router.coordinates && router.centered);
  EXPECT_EQ(router.fourier_bands, (std::vector<float>{1, 2, 4, 8}));
  EXPECT_EQ(router.feature_norm->kind, fb::NormKind::layer_norm);
  EXPECT_EQ(router.temperature, 0.85f);
  EXPECT_EQ(router.clamp, 10.0f);
  EXPECT_EQ(router.capacity_factor, 1.25);
  EXPECT_EQ(router.capacity_group, fb::CapacityGroup::image);
  EXPECT_EQ(built.graph->tensors[size_t(router.weight)]->shape, (Sizes{2, 2 * (64 + 18)}));
}

TEST(BuildPatchNet, DownSamplingEndsInSilu) {
  SyntheticWeights w;
  w.add_patch_net(2, 1, 3);
  const BuiltModel built = build(patch_config(32, 8), w);
  for (const auto& stage : built.graph->stages) {
    if (stage->node == nullptr || stage->node->op != fb::Op::add) continue;
    const bool down = stage->node->inputs.size() == 2;  // an MoE layer adds three maps
    EXPECT_EQ(stage->node->activation, down ? fb::Activation::silu : fb::Activation::none);
  }
}

TEST(BuildPatchNet, MapGrowsToWholePatchesAndStaysSo) {
  SyntheticWeights w;
  w.add_moe_layer(0, 2, 2);
  w.add_moe_layer(1, 2, 2);
  w.add_affine("prediction_head.0", {3, 2});
  Config config = patch_config(10, 4);
  config.image = ImageSize{10, 5};
  const BuiltModel built = build(config, w);
  EXPECT_EQ(built.graph->meta->input_kind, fb::InputKind::map);
  EXPECT_EQ(built.graph->preproc, nullptr);
  EXPECT_EQ(built.graph->values[built.graph->input]->shape, (Sizes{2, 10, 5}));
  EXPECT_EQ(shape_named(*built.graph, "layer0.merged"), (Sizes{2, 12, 8}));
  EXPECT_EQ(shape_named(*built.graph, "layer1.out"), (Sizes{2, 12, 8}));
}

TEST(BuildPatchNet, CroppedMapKeepsItsSize) {
  SyntheticWeights w;
  w.add_moe_layer(0, 2, 2);
  w.add_affine("prediction_head.0", {3, 2});
  Config config = patch_config(10, 4);
  config.image = ImageSize{10, 5};
  const uint64_t padded = build(config, w).graph->meta->multiply_adds;
  config.crop_padding = true;
  const BuiltModel built = build(config, w);
  EXPECT_TRUE(last_moe(*built.graph).crop_padding);
  EXPECT_EQ(shape_named(*built.graph, "layer0.merged"), (Sizes{2, 10, 5}));
  // The experts still see whole patches; only the post block, 3x3 on 2 channels, has a smaller map.
  EXPECT_EQ(padded - built.graph->meta->multiply_adds, uint64_t{(12 * 8 - 10 * 5) * 2 * 2 * 9});
}

TEST(BuildPatchNet, RoutingOptionsReachTheRouter) {
  SyntheticWeights w;
  w.add_moe_layer(0, 2, 2);
  w.add_affine("prediction_head.0", {3, 2});
  Config config = patch_config(8, 4);
  EXPECT_EQ(last_moe(*build(config, w).graph).router->drop_policy, fb::DropPolicy::residual);
  config.drop_policy = fb::DropPolicy::second_choice;
  config.combine = fb::CombineRule::gate;
  const BuiltModel built = build(config, w);
  EXPECT_EQ(last_moe(*built.graph).router->drop_policy, fb::DropPolicy::second_choice);
  EXPECT_EQ(last_moe(*built.graph).router->combine, fb::CombineRule::gate);
}

TEST(BuildPatchNet, KernelSizesComeFromTheTensors) {
  SyntheticWeights w;
  w.add_moe_layer(0, 2, 2, 1, 1);  // both published ablations at once
  w.add_affine("prediction_head.0", {3, 2});
  const BuiltModel built = build(patch_config(8, 4), w);
  const fb::NodeT& first = *last_moe(*built.graph).bank->body[0];
  EXPECT_EQ(first.kernel_h, 1u);
  EXPECT_EQ(first.padding, 0u);
  for (const auto& stage : built.graph->stages) {
    if (stage->node != nullptr && stage->node->op == fb::Op::conv2d) {
      EXPECT_EQ(stage->node->kernel_w, 1u);
    }
  }
}

TEST(BuildPatchNet, RefusesKernelsItCannotCentre) {
  SyntheticWeights w;
  w.add_moe_layer(0, 2, 2, 3, 2);
  w.add_affine("prediction_head.0", {3, 2});
  EXPECT_TRUE(contains(refusal(patch_config(8, 4), w),
                       "\"layers.0.post_block.0.weight\" has shape (2,2,2,2), expected a square kernel"));
}

TEST(BuildPatchNet, RefusesChannelsThatGroupNormCannotSplit) {
  SyntheticWeights w;
  w.add_moe_layer(0, 2, 12);
  w.add_affine("prediction_head.0", {3, 12});
  EXPECT_TRUE(contains(refusal(patch_config(8, 4), w), "12 channels, expected a multiple of 8"));
}

TEST(BuildPatchNet, RefusesAnExpertWithAProjection) {
  SyntheticWeights w;
  w.add_moe_layer(0, 2, 2);
  w.add("layers.0.experts.1.skip.0.weight", {2, 2, 1, 1});
  w.add_affine("prediction_head.0", {3, 2});
  EXPECT_TRUE(contains(refusal(patch_config(8, 4), w), "\"layers.0.experts.1.skip.0.weight\" is unexpected"));
}

TEST(BuildPatchNet, NeedsTheKeysThatHaveNoDefault) {
  SyntheticWeights w;
  w.add_patch_net(2, 1, 3);
  const auto without = [&](auto remove) {
    Config config = patch_config(32, 8);
    remove(config);
    return refusal(config, w);
  };
  EXPECT_TRUE(contains(without([](Config& c) { c.patch_size.reset(); }), "key \"patch_size\" is missing"));
  EXPECT_TRUE(contains(without([](Config& c) { c.router_temp.reset(); }), "key \"router_temp\" is missing"));
  EXPECT_TRUE(
      contains(without([](Config& c) { c.capacity_factor_val.reset(); }), "key \"capacity_factor_val\" is missing"));
  EXPECT_TRUE(contains(without([](Config& c) { c.image.reset(); }), "key \"image\" is missing"));
}

TEST(BuildPatchNet, OneExpertIsTheTwinForComparisons) {
  SyntheticWeights w;
  w.add_patch_net(1, 1, 3);
  const BuiltModel built = build(patch_config(32, 8), w);
  EXPECT_EQ(last_moe(*built.graph).bank->experts, 1u);
  EXPECT_EQ(built.graph->meta->active_parameters, built.graph->meta->parameters);
}

/// spec/patch-moe.md, section 7
struct Published {
  int64_t experts;
  uint64_t total;
  uint64_t path;
};

class PublishedPatchNet : public ::testing::TestWithParam<Published> {};

TEST_P(PublishedPatchNet, CountsWhatWasPublished) {
  SyntheticWeights w;
  w.add_patch_net(GetParam().experts, 64, 200);
  StateDict dict(std::move(w.file), "w.safetensors");
  const BuiltModel built = build_model(patch_config(224, 16), dict, WeightDtype::kBf16);
  EXPECT_EQ(built.graph->meta->parameters, GetParam().total);
  EXPECT_EQ(built.graph->meta->active_parameters, GetParam().path);
  EXPECT_EQ((built.graph->meta->multiply_adds + 5'000'000) / 10'000'000, 921u);  // 9.21 G
}

INSTANTIATE_TEST_SUITE_P(, PublishedPatchNet,
                         ::testing::Values(Published{4, 33'501'017, 14'466'905}, Published{8, 58'888'765, 14'475'837},
                                           Published{16, 109'664'261, 14'493'701}),
                         [](const auto& info) { return "E" + std::to_string(info.param.experts); });

}  // namespace
}  // namespace moefb::convert
