// Graphs from configuration and weights: structure, sizes, counts, and what disagrees.
#include "converter/build_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "converter/synthetic_weights.h"
#include "converter/temporary_folder.h"

namespace moefb::convert {
namespace {

using testing::contains;
using testing::message_of;
using testing::SyntheticWeights;

Config make_config(Kind kind) {
  Config config;
  config.path = "c.json";
  config.kind = kind;
  return config;
}

Config head_config(Head head) {
  Config config = make_config(Kind::kCifarHead);
  config.head = head;
  config.temperature = 1.5;
  config.k = 2;
  return config;
}

Config e2e_config(int64_t image = 32) {
  Config config = head_config(Head::kDense);
  config.kind = Kind::kCifarE2e;
  config.image = ImageSize{image, image};
  return config;
}

Config patch_config(int64_t image, int64_t patch) {
  Config config = make_config(Kind::kPatchNet);
  config.image = ImageSize{image, image};
  config.patch_size = patch;
  config.router_temp = 0.85;
  config.capacity_factor_val = 1.25;
  return config;
}

BuiltModel build(const Config& config, const SyntheticWeights& weights, WeightDtype dtype = WeightDtype::kF32) {
  StateDict dict(weights.file, "w.safetensors");
  return build_model(config, dict, dtype);
}

std::string refusal(const Config& config, const SyntheticWeights& weights) {
  return message_of([&] { build(config, weights); });
}

const fb::MoET& last_moe(const fb::ModelT& graph) {
  const auto found =
      std::find_if(graph.stages.rbegin(), graph.stages.rend(), [](const auto& stage) { return stage->moe != nullptr; });
  if (found == graph.stages.rend()) throw std::runtime_error("the graph has no MoE stage");
  return *(*found)->moe;
}

std::vector<uint64_t> shape_named(const fb::ModelT& graph, const std::string& name) {
  for (const auto& value : graph.values) {
    if (value->name == name) return value->shape;
  }
  return {};
}

using Sizes = std::vector<uint64_t>;

// ---- heads -------------------------------------------------------------------------------------------------------

SyntheticWeights dense_head() {
  SyntheticWeights w;
  w.add_dense_head("", 12, 5, 3);
  return w;
}
SyntheticWeights soft_head() {
  SyntheticWeights w;
  w.add_soft_head("", 4, 12, 5, 3);
  return w;
}
SyntheticWeights sparse_head(const std::string& second = "3", int64_t E = 4) {
  SyntheticWeights w;
  w.add_sparse_head("", E, 12, 5, 3, second);
  return w;
}

TEST(BuildHead, DenseIsTwoLinearNodes) {
  const BuiltModel built = build(head_config(Head::kDense), dense_head());
  const fb::ModelT& graph = *built.graph;
  ASSERT_EQ(graph.stages.size(), 2u);
  EXPECT_EQ(graph.stages[0]->node->op, fb::Op::linear);
  EXPECT_EQ(graph.stages[0]->node->activation, fb::Activation::relu);
  EXPECT_EQ(graph.stages[1]->node->activation, fb::Activation::none);
  EXPECT_EQ(graph.values[graph.input]->shape, Sizes{12});
  EXPECT_EQ(graph.values[graph.output]->shape, Sizes{3});
  EXPECT_EQ(graph.values[graph.output]->name, "logits");
  EXPECT_EQ(graph.meta->kind, "cifar_head");
  EXPECT_EQ(graph.meta->head, "dense");
  EXPECT_EQ(graph.meta->input_kind, fb::InputKind::features);
  EXPECT_EQ(graph.preproc, nullptr);
  EXPECT_EQ(graph.meta->parameters, 12 * 5 + 5 + 5 * 3 + 3u);
  EXPECT_EQ(graph.meta->active_parameters, graph.meta->parameters);
}

TEST(BuildHead, SoftAsksEveryExpert) {
  const BuiltModel built = build(head_config(Head::kSoft), soft_head());
  const fb::MoET& moe = last_moe(*built.graph);
  EXPECT_EQ(moe.router->kind, fb::RouterKind::soft);
  EXPECT_EQ(moe.router->top_k, 4u);
  EXPECT_EQ(moe.router->temperature, 1.5f);
  EXPECT_EQ(moe.router->score_norm, nullptr);
  EXPECT_EQ(moe.bank->experts, 4u);
  EXPECT_EQ(moe.published_layer, -1);
  EXPECT_FALSE(moe.residual);
  EXPECT_EQ(built.graph->meta->active_parameters, built.graph->meta->parameters);
}

TEST(BuildHead, SparseStandardisesAndCountsTheNoiseItDoesNotStore) {
  Config config = head_config(Head::kSparse);
  config.mask_rule = fb::MaskRule::index;
  const BuiltModel built = build(config, sparse_head());
  const fb::RouterT& router = *last_moe(*built.graph).router;
  EXPECT_EQ(router.kind, fb::RouterKind::top_k);
  EXPECT_EQ(router.top_k, 2u);
  EXPECT_EQ(router.mask_rule, fb::MaskRule::index);
  EXPECT_EQ(router.score_norm->kind, fb::NormKind::standardize);
  EXPECT_EQ(router.score_norm->eps, 1e-5f);
  EXPECT_TRUE(router.score_norm->unbiased);
  for (const auto& tensor : built.graph->tensors) EXPECT_EQ(tensor->name.find("w_noise"), std::string::npos);
  const uint64_t expert = 12 * 5 + 5 + 5 * 3 + 3, gates = 2 * (4 * 12 + 4);
  EXPECT_EQ(built.graph->meta->parameters, 4 * expert + gates);
  EXPECT_EQ(built.graph->meta->active_parameters, 2 * expert + gates);
  EXPECT_EQ(built.graph->meta->multiply_adds, 2 * (12 * 5 + 5 * 3) + 4 * 12u);
}

TEST(BuildHead, AcceptsBothPlacesOfTheSecondLayer) {
  const BuiltModel with_dropout = build(head_config(Head::kSparse), sparse_head("3"));
  const BuiltModel without = build(head_config(Head::kSparse), sparse_head("2"));
  EXPECT_TRUE(std::ranges::equal(with_dropout.segments[0].bytes(), without.segments[0].bytes()));
}

TEST(BuildHead, NeedsTheKeysThatHaveNoDefault) {
  Config config = head_config(Head::kSparse);
  config.k.reset();
  EXPECT_TRUE(contains(refusal(config, sparse_head()), "c.json: key \"k\" is missing"));
  config = head_config(Head::kSparse);
  config.temperature.reset();
  EXPECT_TRUE(contains(refusal(config, sparse_head()), "c.json: key \"temperature\" is missing"));
  config = head_config(Head::kSoft);
  config.temperature.reset();
  EXPECT_TRUE(contains(refusal(config, soft_head()), "c.json: key \"temperature\" is missing"));
  EXPECT_TRUE(contains(refusal(make_config(Kind::kCifarHead), dense_head()), "c.json: key \"head\" is missing"));
}

TEST(BuildHead, NeedsNoKeyThatItDoesNotUse) {
  Config config = make_config(Kind::kCifarHead);
  config.head = Head::kDense;
  EXPECT_NO_THROW(build(config, dense_head()));
  config.head = Head::kSoft;
  config.temperature = 1.0;
  EXPECT_NO_THROW(build(config, soft_head()));
}

TEST(BuildHead, RefusesOneSparseExpertAndTooManyChosen) {
  Config config = head_config(Head::kSparse);
  config.k = 1;
  EXPECT_TRUE(contains(refusal(config, sparse_head("3", 1)), "a sparse head has 1 expert, expected at least 2"));
  config.k = 5;
  EXPECT_TRUE(contains(refusal(config, sparse_head()), "key \"k\" is 5, but there are 4 experts"));
}

TEST(BuildHead, GateWeightsAreForOneChosenExpert) {
  Config config = head_config(Head::kSparse);
  config.combine = fb::CombineRule::gate;
  EXPECT_TRUE(contains(refusal(config, sparse_head()), "\"combine_weight\" is gate, which needs k = 1, found k = 2"));
  config.k = 1;
  EXPECT_EQ(last_moe(*build(config, sparse_head()).graph).router->combine, fb::CombineRule::gate);
}

TEST(BuildHead, RefusesHeadsThatTheWeightsDoNotHold) {
  EXPECT_TRUE(contains(refusal(head_config(Head::kSoft), dense_head()), "\"gate.weight\" is missing"));
  EXPECT_TRUE(contains(refusal(head_config(Head::kDense), soft_head()), "\"fc.0.weight\" is missing"));
  EXPECT_TRUE(contains(refusal(head_config(Head::kSoft), sparse_head()), "\"gate.weight\" is missing"));
}

TEST(BuildHead, RefusesUnexpectedTensors) {
  SyntheticWeights w = soft_head();
  w.add("experts.1.net.5.weight", {1});
  EXPECT_TRUE(
      contains(refusal(head_config(Head::kSoft), w), "w.safetensors: tensor \"experts.1.net.5.weight\" is unexpected"));
}

TEST(BuildHead, RefusesAGapAmongTheExperts) {
  SyntheticWeights w = soft_head();
  std::erase_if(w.file.tensors, [](const auto& item) { return item.first.starts_with("experts.2."); });
  // Two experts are left in a row, but the gate knows four.
  EXPECT_TRUE(
      contains(refusal(head_config(Head::kSoft), w), "tensor \"gate.weight\" has shape (4,12), expected (2,12)"));
}

TEST(BuildHead, RefusesExpertsOfDifferentSizes) {
  SyntheticWeights w = soft_head();
  w.add("experts.2.net.0.weight", {6, 12});
  EXPECT_TRUE(
      contains(refusal(head_config(Head::kSoft), w), "\"experts.2.net.0.weight\" has shape (6,12), expected (5,12)"));
}

// ---- keys against tensors ----------------------------------------------------------------------------------------

struct Disagreement {
  const char* name;
  std::function<void(Config&)> set;
  const char* message;
};

class KeysMustAgree : public ::testing::TestWithParam<Disagreement> {};

TEST_P(KeysMustAgree, NamesBoth) {
  const bool patch = std::string(GetParam().name).starts_with("Patch");
  const bool dense = std::string(GetParam().name).starts_with("Dense");
  SyntheticWeights w;
  Config config = e2e_config();
  if (patch) {
    w.add_patch_net(3, 2, 5);
    config = patch_config(32, 8);
  } else {
    w.add_resnet(2);
    config.head = dense ? Head::kDense : Head::kSoft;
    if (dense) w.add_dense_head("head.", 16, 5, 3);
    if (!dense) w.add_soft_head("head.", 4, 16, 4, 3);
  }
  ASSERT_NO_THROW(build(config, w));
  GetParam().set(config);
  EXPECT_TRUE(contains(refusal(config, w), GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    , KeysMustAgree,
    ::testing::Values(Disagreement{"DenseClasses", [](Config& c) { c.num_classes = 4; },
                                   "key \"num_classes\" is 4, but tensor \"head.fc.3.weight\" says 3"},
                      Disagreement{"DenseWidth", [](Config& c) { c.width = 6; },
                                   "key \"width\" is 6, but tensor \"head.fc.0.weight\" says 5"},
                      Disagreement{"DenseFeatures", [](Config& c) { c.in_dim = 512; },
                                   "key \"in_dim\" is 512, but tensor \"head.fc.0.weight\" says 16"},
                      Disagreement{"DenseBackbone", [](Config& c) { c.width0 = 64; },
                                   "key \"width0\" is 64, but tensor \"backbone.backbone.conv1.weight\" says 2"},
                      Disagreement{"DenseNames",
                                   [](Config& c) {
                                     c.class_names = {"a", "b"};
                                   },
                                   "key \"class_names\" has 2 names, but the weights have 3 classes"},
                      Disagreement{"SoftExperts", [](Config& c) { c.num_experts = 8; },
                                   "key \"num_experts\" is 8, but tensor \"head.experts.*\" says 4"},
                      Disagreement{"SoftHidden", [](Config& c) { c.hidden_mult = 0.5; },
                                   "is 8, but tensor \"head.experts.0.net.0.weight\" says 4"},
                      Disagreement{"SoftClasses", [](Config& c) { c.num_classes = 10; },
                                   "key \"num_classes\" is 10, but tensor \"head.experts.0.net.3.weight\" says 3"},
                      Disagreement{"PatchExperts", [](Config& c) { c.num_experts = 4; },
                                   "key \"num_experts\" is 4, but tensor \"layers.0.experts.*\" says 3"},
                      Disagreement{"PatchChannels", [](Config& c) { c.base_channels = 64; },
                                   "key \"base_channels\" is 64, but tensor \"stem.0.weight\" says 2"},
                      Disagreement{"PatchLayers", [](Config& c) { c.layer_number = 6; },
                                   "key \"layer_number\" is 6, but tensor \"layers.*\" says 8"},
                      Disagreement{"PatchStem", [](Config& c) { c.identity_stem = true; },
                                   "key \"identity_stem\" is true, but tensor \"stem.0.weight\" is there"},
                      Disagreement{"PatchClasses", [](Config& c) { c.num_classes = 6; },
                                   "key \"num_classes\" is 6, but tensor \"prediction_head.0.weight\" says 5"}),
    [](const auto& info) { return info.param.name; });

// ---- backbone and pictures ---------------------------------------------------------------------------------------

TEST(BuildResnet, NamesItsStagesAndHalvesTheMap) {
  SyntheticWeights w;
  w.add_resnet(2);
  w.add_dense_head("head.", 16, 5, 3);
  Config config = e2e_config(28);
  const BuiltModel built = build(config, w);
  const fb::ModelT& graph = *built.graph;
  EXPECT_EQ(graph.values[graph.input]->shape, (Sizes{3, 28, 28}));
  EXPECT_EQ(shape_named(graph, "layer1"), (Sizes{2, 28, 28}));
  EXPECT_EQ(shape_named(graph, "layer2"), (Sizes{4, 14, 14}));
  EXPECT_EQ(shape_named(graph, "layer3"), (Sizes{8, 7, 7}));
  EXPECT_EQ(shape_named(graph, "layer4"), (Sizes{16, 4, 4}));
  EXPECT_EQ(shape_named(graph, "features"), Sizes{16});
  // 20 convolutions with their BatchNorms folded in, a pooling, two linear layers.
  EXPECT_EQ(graph.stages.size(), 23u);
  EXPECT_EQ(graph.meta->input_kind, fb::InputKind::picture);
}

TEST(BuildResnet, NeedsTheImageSize) {
  SyntheticWeights w;
  w.add_resnet(2);
  w.add_dense_head("head.", 16, 5, 3);
  Config config = e2e_config();
  config.image.reset();
  EXPECT_TRUE(contains(refusal(config, w), "c.json: key \"image\" is missing: a model of pictures needs it"));
}

TEST(BuildResnet, RefusesTheStemOfAnotherResnet) {
  SyntheticWeights w;
  w.add_resnet(2);
  w.add_dense_head("head.", 16, 5, 3);
  w.add("backbone.backbone.conv1.weight", {2, 3, 7, 7});
  EXPECT_TRUE(contains(refusal(e2e_config(), w), "has shape (2,3,7,7), expected (*,3,3,3)"));
}

/// The published models' own sizes: spec/cifar-heads.md, section 7.
uint64_t published_parameters(Head head, uint64_t* multiply_adds = nullptr) {
  SyntheticWeights w;
  w.add_resnet(64);
  if (head == Head::kDense) w.add_dense_head("head.", 512, 512, 10);
  if (head == Head::kSoft) w.add_soft_head("head.", 8, 512, 64, 10);
  if (head == Head::kSparse) w.add_sparse_head("head.", 8, 512, 64, 10);
  Config config = e2e_config();
  config.head = head;
  const BuiltModel built = build(config, w);
  if (multiply_adds != nullptr) *multiply_adds = built.graph->meta->multiply_adds;
  return built.graph->meta->parameters;
}

TEST(BuildResnet, CountsWhatWasPublished) {
  uint64_t multiply_adds = 0;
  EXPECT_EQ(published_parameters(Head::kDense, &multiply_adds), 11'436'618u);
  EXPECT_EQ((multiply_adds + 50'000) / 100'000, 5'557u);  // 555.7 M
  EXPECT_EQ(published_parameters(Head::kSoft), 11'440'792u);
  EXPECT_EQ(published_parameters(Head::kSparse), 11'444'896u);
}

TEST(Preprocessing, HeadsTakeCifarsRuleByDefault) {
  SyntheticWeights w;
  w.add_resnet(2);
  w.add_dense_head("head.", 16, 5, 3);
  const fb::PreprocT rule = *build(e2e_config(28), w).graph->preproc;
  EXPECT_EQ(rule.height, 28u);
  EXPECT_EQ(rule.width, 28u);
  EXPECT_EQ(rule.resize, fb::ResizeRule::shorter_side);
  EXPECT_EQ(rule.resize_to, 28u);
  EXPECT_EQ(rule.filter, fb::Filter::bilinear);
  EXPECT_EQ(rule.mean, (std::vector<float>{0.4914f, 0.4822f, 0.4465f}));
  EXPECT_EQ(rule.stddev, (std::vector<float>{0.2470f, 0.2435f, 0.2616f}));
}

TEST(Preprocessing, PatchNetworksTakeImageNetsRuleByDefault) {
  SyntheticWeights w;
  w.add_patch_net(2, 1, 3);
  const fb::PreprocT rule = *build(patch_config(64, 8), w).graph->preproc;
  EXPECT_EQ(rule.resize_to, 73u);  // 64 * 256 / 224 = 73.14
  EXPECT_EQ(rule.filter, fb::Filter::bicubic);
  EXPECT_EQ(rule.mean, (std::vector<float>{0.485f, 0.456f, 0.406f}));
  EXPECT_EQ(rule.stddev, (std::vector<float>{0.229f, 0.224f, 0.225f}));
  EXPECT_EQ(build(patch_config(224, 16), w).graph->preproc->resize_to, 256u);
}

TEST(Preprocessing, KeysOverrideTheDefaults) {
  SyntheticWeights w;
  w.add_patch_net(2, 1, 3);
  Config config = patch_config(64, 8);
  config.mean = {0.1f, 0.2f, 0.3f};
  config.stddev = {0.4f, 0.5f, 0.6f};
  config.resize = fb::ResizeRule::stretch;
  config.resize_to = 80;
  config.filter = fb::Filter::bilinear;
  config.class_names = {"a", "b", "c"};
  const BuiltModel built = build(config, w);
  const fb::PreprocT& rule = *built.graph->preproc;
  EXPECT_EQ(rule.mean[2], 0.3f);
  EXPECT_EQ(rule.stddev[0], 0.4f);
  EXPECT_EQ(rule.resize, fb::ResizeRule::stretch);
  EXPECT_EQ(rule.resize_to, 80u);
  EXPECT_EQ(rule.filter, fb::Filter::bilinear);
  EXPECT_EQ(built.graph->meta->class_names, config.class_names);
}

// ---- patch networks ----------------------------------------------------------------------------------------------

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

TEST(BuildModel, Bf16RoundsKernelsAndMatricesOnly) {
  SyntheticWeights w;
  w.add_patch_net(2, 1, 3);
  const BuiltModel built = build(patch_config(32, 8), w, WeightDtype::kBf16);
  int rounded = 0;
  for (const auto& tensor : built.graph->tensors) {
    const bool gate = tensor->name.find("router_gate") != std::string::npos;
    const bool matrix = tensor->shape.size() > 1 && !gate;
    EXPECT_EQ(tensor->dtype, matrix ? fb::Dtype::bf16 : fb::Dtype::f32) << tensor->name;
    rounded += matrix;
  }
  EXPECT_GT(rounded, 0);
}

}  // namespace
}  // namespace moefb::convert
