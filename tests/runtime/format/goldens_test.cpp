#include "format/goldens.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "runtime/format/refusal.h"

namespace moefb::format {
namespace {

using testing::Refusal;
using testing::tiny_patch;
using testing::tiny_sparse;
using testing::TinyModel;

void set_route(TinyModel& tiny, size_t index, int32_t route) {
  std::memcpy(tiny.data(*tiny.golden().routes) + index * 4, &route, 4);
}

constexpr const char* kMissingText = "a golden vector lacks its input, logits or routes";
constexpr const char* kShapeText = "a golden tensor has another shape than the model gives";
constexpr const char* kDtypeText = "a golden tensor has another dtype or is stacked";

/// A model without an MoE layer: the features are the classes.
TinyModel dense() {
  TinyModel tiny = tiny_sparse();
  tiny.model.stages.pop_back();
  tiny.model.values.pop_back();
  tiny.model.output = 4;
  tiny.model.meta->class_names.clear();
  tiny.golden().routes.reset();
  tiny.golden().logits->shape = {2, 4};
  return tiny;
}

const Refusal kRefusals[] = {
    {"TooManyVectors", tiny_sparse,
     [](TinyModel& t) {
       while (t.model.goldens.size() < 65) t.model.goldens.push_back(std::make_unique<fb::GoldenT>());
     },
     "too many golden vectors"},
    {"BatchOfZero", tiny_sparse, [](TinyModel& t) { t.golden().batch = 0; }, "a golden vector has no images"},
    {"HugeBatch", tiny_sparse, [](TinyModel& t) { t.golden().batch = UINT32_MAX; },
     "a golden vector's batch is too large"},
    {"OtherBatch", tiny_sparse, [](TinyModel& t) { t.golden().batch = 1; }, kShapeText},
    {"NoInput", tiny_sparse, [](TinyModel& t) { t.golden().input.reset(); }, kMissingText},
    {"NoLogits", tiny_sparse, [](TinyModel& t) { t.golden().logits.reset(); }, kMissingText},
    {"NoRoutes", tiny_sparse, [](TinyModel& t) { t.golden().routes.reset(); }, kMissingText},
    {"InputOfOtherShape", tiny_sparse,
     [](TinyModel& t) {
       t.golden().input->shape = {2, 3, 4, 16};
     },
     kShapeText},
    {"LogitsOfOtherShape", tiny_sparse, [](TinyModel& t) { t.golden().logits->shape = {4}; }, kShapeText},
    {"RoutesOfOtherShape", tiny_sparse, [](TinyModel& t) { t.golden().routes->shape = {3}; }, kShapeText},
    {"IntegerInput", tiny_sparse, [](TinyModel& t) { t.golden().input->dtype = fb::Dtype::i32; }, kDtypeText},
    {"Bf16Logits", tiny_sparse, [](TinyModel& t) { t.golden().logits->dtype = fb::Dtype::bf16; }, kDtypeText},
    {"FloatRoutes", tiny_patch,
     [](TinyModel& t) {
       t.golden().routes->dtype = fb::Dtype::f32;
       for (size_t i = 0; i < 6; ++i) set_route(t, i, 0);
     },
     kDtypeText},
    {"StackedInput", tiny_patch,
     [](TinyModel& t) {
       t.segments[1].resize(2048);
       t.golden().input->offset = 1024;
       t.golden().input->count = 2;
       t.golden().input->stride = 320;
     },
     kDtypeText},
    {"InputAmongWeights", tiny_sparse, [](TinyModel& t) { t.golden().input->segment = 0; },
     "a tensor lies in a segment of another kind"},
    {"InputBehindSegment", tiny_sparse, [](TinyModel& t) { t.golden().input->offset = 1 << 20; },
     "a tensor reaches behind the end of its segment"},
    {"LogitsInsideInput", tiny_sparse, [](TinyModel& t) { t.golden().logits->offset = 64; }, "two tensors overlap"},
    {"NanInput", tiny_sparse,
     [](TinyModel& t) {
       const float nan = std::nanf("");
       std::memcpy(t.data(*t.golden().input), &nan, 4);
     },
     "a tensor has an element that is not finite"},
    {"RouteToNoExpert", tiny_sparse, [](TinyModel& t) { set_route(t, 3, 3); }, "a golden route names no expert"},
    {"RouteBelowMinusOne", tiny_sparse, [](TinyModel& t) { set_route(t, 0, -2); }, "a golden route names no expert"},
    {"RoutesWithoutMoeLayer", dense,
     [](TinyModel& t) {
       t.golden().routes = std::make_unique<fb::TensorT>(*t.golden().logits);
       t.golden().routes->dtype = fb::Dtype::i32;
       t.golden().routes->shape = {4};
     },
     "a golden vector has routes, but no layer chooses experts"},
    {"UnknownOrigin", tiny_sparse, [](TinyModel& t) { t.golden().origin = fb::GoldenOrigin(2); },
     "a golden vector's origin is unknown"},
    {"NanMargin", tiny_sparse, [](TinyModel& t) { t.golden().top1_margin = std::nanf(""); },
     "a golden vector's margin is not finite"},
    {"InfiniteCapacityMargin", tiny_sparse, [](TinyModel& t) { t.golden().capacity_margin = INFINITY; },
     "a golden vector's margin is not finite"},
    {"UnknownCapacityGroup", tiny_sparse, [](TinyModel& t) { t.golden().capacity_group = fb::CapacityGroup(3); },
     "a capacity group is unknown"},
};
MOEFB_REFUSALS(Goldens, kRefusals);

TEST(ReadGoldens, PointsIntoTheFile) {
  TinyModel tiny = tiny_patch();
  const testing::FileBytes file = testing::finish(tiny);
  const auto graph = read_graph(file.span(), true);
  ASSERT_TRUE(graph.ok()) << graph.status().text();
  ASSERT_EQ((*graph)->goldens.size(), 1u);
  const GoldenVector& golden = (*graph)->goldens[0];
  EXPECT_EQ(golden.batch, 1);
  EXPECT_EQ(golden.input.size(), 80u);
  EXPECT_EQ(golden.logits.size(), 2u);
  EXPECT_EQ(golden.routes.size(), 6u);
  EXPECT_EQ(std::memcmp(golden.input.data(), tiny.data(*tiny.golden().input), 320), 0);
  EXPECT_EQ(golden.routes[0], -1);
  EXPECT_EQ(golden.routes[3], 2);
  EXPECT_EQ(golden.seed, 7u);
  EXPECT_EQ(golden.top1_margin, 0.25f);
  EXPECT_EQ(golden.capacity_margin, 0.125f);
  EXPECT_TRUE(golden.from_trainer);
  EXPECT_EQ(golden.capacity_group, CapacityGroup::kImage);
}

/// Features (1), and a head of `experts`, one linear layer each, that are all used; a golden vector of `batch`.
TinyModel head_of(fb::RouterKind kind, uint32_t experts, uint32_t batch, uint64_t routes) {
  testing::ModelBuilder builder("cifar_head", "soft", fb::InputKind::features);
  const uint32_t features = builder.value({1}), logits = builder.value({2});
  builder.model().input = features;
  builder.model().output = logits;
  fb::MoET& head = builder.moe(features, logits, experts);
  head.router->kind = kind;
  head.router->top_k = experts;
  head.router->weight = builder.tensor("gate.weight", {experts, 1});
  testing::body_value(*head.bank, {1});
  testing::body_value(*head.bank, {2});
  testing::body_node(*head.bank, fb::Op::linear, {0}, 1).weight = builder.tensor("experts.weight", {2, 1}, experts);
  builder.golden(batch, routes, experts);
  return builder.take();
}

TEST(ReadGoldens, ExpectsNoRoutesOfASoftHead) {
  testing::expect_accepted(testing::finish(head_of(fb::RouterKind::soft, 3, 4, 0)));
  testing::expect_refused(testing::finish(head_of(fb::RouterKind::soft, 3, 4, 12)), Code::kCorruptFile,
                          "a golden vector has routes, but no layer chooses experts");
}

// 65,536 images times 65,536 experts: more routes than a Graph may count.
TEST(ReadGoldens, RefusesMoreRoutesThanCanBeCounted) {
  testing::expect_refused(testing::finish(head_of(fb::RouterKind::top_k, 65536, 65536, 1)), Code::kCorruptFile,
                          "a golden vector has too many routes");
}

TEST(ReadGoldens, TakesAModelWithoutVectors) {
  TinyModel tiny = tiny_sparse();
  tiny.model.goldens.clear();
  tiny.model.segments.pop_back();
  tiny.segments.pop_back();
  testing::expect_accepted(testing::finish(std::move(tiny)));
}

TEST(ReadGoldens, TakesADenseModelWithoutRoutes) {
  testing::expect_accepted(testing::finish(dense()));
}

}  // namespace
}  // namespace moefb::format
