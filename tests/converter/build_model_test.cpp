// Whole models: backbone, pictures, counts, and keys that disagree with the tensors.
#include "converter/build_model.h"

#include <gtest/gtest.h>

#include <functional>

#include "converter/build_helpers.h"

namespace moefb::convert {
namespace {

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

// ---- the dense comparison of patch networks ----------------------------------------------------------------------

Config resnet18_config(int64_t image) {
  Config config = make_config(Kind::kResnet18);
  config.image = ImageSize{image, image};
  return config;
}

TEST(BuildResnet18, IsTorchvisionsNetwork) {
  SyntheticWeights w;
  w.add_resnet18(2, 3);
  const BuiltModel built = build(resnet18_config(64), w);
  const fb::ModelT& graph = *built.graph;
  const fb::NodeT& stem = *graph.stages[0]->node;
  EXPECT_EQ(stem.kernel_h, 7u);
  EXPECT_EQ(stem.stride, 2u);
  const fb::NodeT& pool = *graph.stages[1]->node;
  EXPECT_EQ(pool.op, fb::Op::max_pool);
  EXPECT_EQ(pool.kernel_h, 3u);
  EXPECT_EQ(pool.stride, 2u);
  EXPECT_EQ(pool.padding, 1u);
  EXPECT_EQ(shape_named(graph, "layer1"), (Sizes{2, 16, 16}));
  EXPECT_EQ(shape_named(graph, "layer4"), (Sizes{16, 2, 2}));
  EXPECT_EQ(graph.meta->kind, "resnet18");
  EXPECT_EQ(graph.meta->head, "");
  EXPECT_EQ(graph.meta->input_kind, fb::InputKind::picture);
}

TEST(BuildResnet18, TakesPicturesAsPatchNetworksDo) {
  SyntheticWeights w;
  w.add_resnet18(1, 3);
  const BuiltModel built = build(resnet18_config(224), w);
  EXPECT_EQ(built.graph->preproc->resize_to, 256u);
  EXPECT_EQ(built.graph->preproc->filter, fb::Filter::bicubic);
  EXPECT_EQ(built.graph->preproc->mean, (std::vector<float>{0.485f, 0.456f, 0.406f}));
}

TEST(BuildResnet18, CountsWhatIsKnownOfIt) {
  SyntheticWeights w;
  w.add_resnet18(64, 200);
  const BuiltModel built = build(resnet18_config(224), w);
  EXPECT_EQ(built.graph->meta->parameters, 11'689'512u - 513'000 + 512 * 200 + 200);  // torchvision's has 1000 classes
  EXPECT_EQ(built.graph->meta->active_parameters, built.graph->meta->parameters);
  EXPECT_EQ(built.graph->meta->multiply_adds / 10'000'000, 181u);  // 1.8 G
}

TEST(BuildResnet18, RefusesWeightsThatDoNotFit) {
  const auto refused = [](const std::function<void(SyntheticWeights&)>& spoil) {
    SyntheticWeights w;
    w.add_resnet18(2, 3);
    spoil(w);
    return refusal(resnet18_config(64), w);
  };
  EXPECT_TRUE(contains(refused([](auto& w) { w.file.tensors.erase("fc.weight"); }), "\"fc.weight\" is missing"));
  EXPECT_TRUE(contains(refused([](auto& w) { w.file.tensors.erase("layer3.1.bn2.running_var"); }),
                       "\"layer3.1.bn2.running_var\" is missing"));
  EXPECT_TRUE(contains(refused([](auto& w) { w.file.tensors.erase("layer2.0.downsample.0.weight"); }),
                       "\"layer2.0.downsample.0.weight\" is missing"));
  EXPECT_TRUE(contains(refused([](auto& w) {
                         w.add("conv1.weight", {2, 3, 3, 3});
                       }),
                       "\"conv1.weight\" has shape (2,3,3,3), expected (*,3,7,7)"));
  EXPECT_TRUE(contains(refused([](auto& w) { w.add("fc.weight", {3, 8}); }), "has shape (3,8), expected (*,16)"));
  EXPECT_TRUE(contains(refused([](auto& w) {
                         w.add("layer2.0.conv2.weight", {4, 2, 3, 3});
                       }),
                       "has shape (4,2,3,3), expected (4,4,3,3)"));
  EXPECT_TRUE(contains(refused([](auto& w) { w.add("conv1.bias", {2}); }), "\"conv1.bias\" is unexpected"));
}

TEST(BuildResnet18, KeysMustAgreeWithTheTensors) {
  SyntheticWeights w;
  w.add_resnet18(2, 3);
  Config config = resnet18_config(64);
  config.width0 = 64;
  EXPECT_TRUE(contains(refusal(config, w), "key \"width0\" is 64, but tensor \"conv1.weight\" says 2"));
  config.width0.reset();
  config.num_classes = 200;
  EXPECT_TRUE(contains(refusal(config, w), "key \"num_classes\" is 200, but tensor \"fc.weight\" says 3"));
  config.num_classes.reset();
  config.image.reset();
  EXPECT_TRUE(contains(refusal(config, w), "key \"image\" is missing"));
}

// ---- counts ------------------------------------------------------------------------------------------------------

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
