#include <gtest/gtest.h>

#include "format/translate.h"
#include "runtime/format/refusal.h"

namespace moefb::format {
namespace {

using testing::Refusal;
using testing::tiny_patch;
using testing::tiny_sparse;
using testing::TinyModel;

fb::RouterT& router(TinyModel& tiny) {
  return *tiny.moe(0).router;
}

const Refusal kRefusals[] = {
    {"StageOfNothing", tiny_patch, [](TinyModel& t) { t.model.stages[1]->node.reset(); },
     "a stage is not one of node and MoE layer"},
    {"StageOfBoth", tiny_patch, [](TinyModel& t) { t.model.stages[0]->node = std::make_unique<fb::NodeT>(); },
     "a stage is not one of node and MoE layer"},
    {"NoStages", tiny_patch, [](TinyModel& t) { t.model.stages.clear(); }, "the model has no stages"},
    {"NoRouter", tiny_patch, [](TinyModel& t) { t.moe(0).router.reset(); }, "an MoE layer has no router"},
    {"NoExperts", tiny_patch, [](TinyModel& t) { t.moe(0).bank.reset(); }, "an MoE layer has no experts"},
    {"PublishedLayerBelowMinusOne", tiny_patch, [](TinyModel& t) { t.moe(0).published_layer = -2; },
     "a published layer's index is out of range"},
    {"PublishedLayerThatIsHuge", tiny_patch, [](TinyModel& t) { t.moe(0).published_layer = INT32_MAX; },
     "a published layer's index is out of range"},
    {"InputThatDoesNotExist", tiny_patch, [](TinyModel& t) { t.moe(0).input = 8; },
     "an MoE layer's input does not exist"},
    {"OutputThatDoesNotExist", tiny_patch, [](TinyModel& t) { t.moe(0).output = 0x80000000; },
     "an MoE layer's output does not exist"},
    {"HugePatch", tiny_patch, [](TinyModel& t) { t.moe(0).patch = UINT32_MAX; }, "a patch is too large"},
    {"GammaThatDoesNotExist", tiny_patch, [](TinyModel& t) { t.moe(0).gamma = 18; },
     "an MoE layer's gamma does not exist"},
    {"GammaBelowMinusOne", tiny_patch, [](TinyModel& t) { t.moe(0).gamma = -3; },
     "an MoE layer's gamma does not exist"},
    {"UnknownRouter", tiny_patch, [](TinyModel& t) { router(t).kind = fb::RouterKind(3); },
     "a router's kind is unknown"},
    {"HugeK", tiny_patch, [](TinyModel& t) { router(t).top_k = UINT32_MAX; }, "a router's K is too large"},
    {"SixtyFiveBands", tiny_patch, [](TinyModel& t) { router(t).fourier_bands.assign(65, 1.0f); },
     "a router has too many Fourier bands"},
    {"UnknownNorm", tiny_patch, [](TinyModel& t) { router(t).feature_norm->kind = fb::NormKind(3); },
     "a norm's kind is unknown"},
    {"NormWeightThatDoesNotExist", tiny_patch, [](TinyModel& t) { router(t).feature_norm->weight = 18; },
     "a norm's weight does not exist"},
    {"NormBiasBelowMinusOne", tiny_patch, [](TinyModel& t) { router(t).feature_norm->bias = -2; },
     "a norm's bias does not exist"},
    {"RouterWeightThatDoesNotExist", tiny_patch, [](TinyModel& t) { router(t).weight = INT32_MIN; },
     "a router's weight does not exist"},
    {"RouterBiasThatDoesNotExist", tiny_patch, [](TinyModel& t) { router(t).bias = 18; },
     "a router's bias does not exist"},
    {"UnknownMaskRule", tiny_patch, [](TinyModel& t) { router(t).mask_rule = fb::MaskRule(2); },
     "a mask rule is unknown"},
    {"UnknownTieRule", tiny_patch, [](TinyModel& t) { router(t).tie_rule = fb::TieRule(1); }, "a tie rule is unknown"},
    {"UnknownCapacityGroup", tiny_patch, [](TinyModel& t) { router(t).capacity_group = fb::CapacityGroup(3); },
     "a capacity group is unknown"},
    {"UnknownDropPolicy", tiny_patch, [](TinyModel& t) { router(t).drop_policy = fb::DropPolicy(2); },
     "a drop policy is unknown"},
    {"UnknownCombineRule", tiny_patch, [](TinyModel& t) { router(t).combine = fb::CombineRule(2); },
     "a combine rule is unknown"},
    {"HugeNumberOfExperts", tiny_patch, [](TinyModel& t) { t.moe(0).bank->experts = UINT32_MAX; },
     "the number of experts is too large"},
};
MOEFB_REFUSALS(TranslateMoe, kRefusals);

TEST(TranslateMoe, ReadsEveryField) {
  const testing::FileBytes file = testing::finish(tiny_patch());
  const auto graph = read_graph(file.span(), true);
  ASSERT_TRUE(graph.ok()) << graph.status().text();
  ASSERT_TRUE((*graph)->stages[0].is_moe);
  const graph::MoE& moe = (*graph)->stages[0].moe;
  EXPECT_EQ(moe.published_layer, 0);
  EXPECT_EQ(moe.input, 0);
  EXPECT_EQ(moe.output, 1);
  EXPECT_EQ(moe.patch, 2);
  EXPECT_EQ(moe.gamma, 0);
  EXPECT_TRUE(moe.residual);
  EXPECT_FALSE(moe.crop_padding);
  EXPECT_EQ(moe.bank.experts, 3);
  EXPECT_EQ(moe.bank.values.size(), 6u);
  EXPECT_EQ(moe.bank.body.size(), 5u);
}

TEST(TranslateMoe, ReadsOptionsThatAreNotPublished) {
  TinyModel tiny = tiny_patch();
  tiny.moe(0).crop_padding = true;
  for (const auto& value : tiny.model.values) {
    if (value->shape.size() == 3) value->shape = tiny.model.values[0]->shape;  // no map grows
  }
  router(tiny).drop_policy = fb::DropPolicy::second_choice;
  router(tiny).combine = fb::CombineRule::gate;
  const testing::FileBytes file = testing::finish(std::move(tiny));
  const auto graph = read_graph(file.span(), true);
  ASSERT_TRUE(graph.ok()) << graph.status().text();
  const graph::MoE& moe = (*graph)->stages[0].moe;
  EXPECT_TRUE(moe.crop_padding);
  EXPECT_EQ(moe.router.drop_policy, graph::DropPolicy::kSecondChoice);
  EXPECT_EQ(moe.router.combine, graph::CombineRule::kGate);
}

TEST(TranslateMoe, ReadsEveryFieldOfThePatchRouter) {
  const testing::FileBytes file = testing::finish(tiny_patch());
  const auto graph = read_graph(file.span(), true);
  ASSERT_TRUE(graph.ok()) << graph.status().text();
  const graph::Router& router = (*graph)->stages[0].moe.router;
  EXPECT_EQ(router.kind, graph::RouterKind::kPatchTop1);
  EXPECT_EQ(router.top_k, 1);
  EXPECT_TRUE(router.pool_mean && router.pool_max && router.coordinates && router.centered);
  EXPECT_EQ(router.fourier_bands, (std::vector<float>{1, 2}));
  EXPECT_EQ(router.feature_norm.kind, graph::NormKind::kLayerNorm);
  EXPECT_EQ(router.feature_norm.weight, 1);
  EXPECT_EQ(router.feature_norm.bias, 2);
  EXPECT_EQ(router.weight, 3);
  EXPECT_EQ(router.bias, 4);
  EXPECT_EQ(router.score_norm.kind, graph::NormKind::kNone);
  EXPECT_EQ(router.temperature, 0.85f);
  EXPECT_EQ(router.clamp, 10.0f);
  EXPECT_EQ(router.capacity_factor, 1.5);
  EXPECT_EQ(router.capacity_group, CapacityGroup::kImage);
}

TEST(TranslateMoe, ReadsEveryFieldOfTheSparseRouter) {
  TinyModel tiny = tiny_sparse();
  tiny.moe(4).router->mask_rule = fb::MaskRule::index;
  const testing::FileBytes file = testing::finish(std::move(tiny));
  const auto graph = read_graph(file.span(), true);
  ASSERT_TRUE(graph.ok()) << graph.status().text();
  const graph::MoE& moe = (*graph)->stages[4].moe;
  EXPECT_EQ(moe.published_layer, graph::kNone);
  EXPECT_EQ(moe.gamma, graph::kNone);
  EXPECT_EQ(moe.router.kind, graph::RouterKind::kTopK);
  EXPECT_EQ(moe.router.top_k, 2);
  EXPECT_EQ(moe.router.mask_rule, graph::MaskRule::kIndex);
  EXPECT_EQ(moe.router.score_norm.kind, graph::NormKind::kStandardize);
  EXPECT_EQ(moe.router.score_norm.eps, 1e-5f);
  EXPECT_TRUE(moe.router.score_norm.unbiased);
}

}  // namespace
}  // namespace moefb::format
