#include "converter/heads.h"

#include <gtest/gtest.h>

#include "converter/build_helpers.h"

namespace moefb::convert {
namespace {

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

}  // namespace
}  // namespace moefb::convert
