#include <gtest/gtest.h>

#include "format/translate.h"
#include "runtime/format/refusal.h"

namespace moefb::format {
namespace {

using testing::Refusal;
using testing::tiny_patch;
using testing::tiny_sparse;
using testing::TinyModel;

constexpr const char* kWindowText = "a node's kernel, stride, padding or groups is too large";

const Refusal kRefusals[] = {
    {"ValueOfRankTwo", tiny_sparse,
     [](TinyModel& t) {
       t.model.values[0]->shape = {3, 64};
     },
     "a value is neither (D) nor (C, H, W)"},
    {"ValueOfRankFour", tiny_sparse,
     [](TinyModel& t) {
       t.model.values[0]->shape = {1, 3, 8, 8};
     },
     "a value is neither (D) nor (C, H, W)"},
    {"UnknownOp", tiny_sparse, [](TinyModel& t) { t.node(0).op = fb::Op(6); }, "a node's op is unknown"},
    {"UnknownActivation", tiny_sparse, [](TinyModel& t) { t.node(0).activation = fb::Activation(3); },
     "a node's activation is unknown"},
    {"NineInputs", tiny_sparse, [](TinyModel& t) { t.node(0).inputs.assign(9, 0); }, "a node has too many inputs"},
    {"InputThatDoesNotExist", tiny_sparse, [](TinyModel& t) { t.node(0).inputs[0] = 6; },
     "a node's input does not exist"},
    {"InputOfMinusOne", tiny_sparse, [](TinyModel& t) { t.node(0).inputs[0] = UINT32_MAX; },
     "a node's input does not exist"},
    {"OutputThatDoesNotExist", tiny_sparse, [](TinyModel& t) { t.node(0).output = 6; },
     "a node's output does not exist"},
    {"WeightThatDoesNotExist", tiny_sparse, [](TinyModel& t) { t.node(0).weight = 9; },
     "a node's weight does not exist"},
    {"WeightBelowMinusOne", tiny_sparse, [](TinyModel& t) { t.node(0).weight = -2; }, "a node's weight does not exist"},
    {"BiasThatDoesNotExist", tiny_sparse, [](TinyModel& t) { t.node(0).bias = 9; }, "a node's bias does not exist"},
    {"BiasBelowMinusOne", tiny_sparse, [](TinyModel& t) { t.node(0).bias = INT32_MIN; },
     "a node's bias does not exist"},
    {"HugeKernelHeight", tiny_sparse, [](TinyModel& t) { t.node(0).kernel_h = UINT32_MAX; }, kWindowText},
    {"HugeKernelWidth", tiny_sparse, [](TinyModel& t) { t.node(0).kernel_w = UINT32_MAX; }, kWindowText},
    {"HugeStride", tiny_sparse, [](TinyModel& t) { t.node(0).stride = (1 << 24) + 1; }, kWindowText},
    {"HugePadding", tiny_sparse, [](TinyModel& t) { t.node(0).padding = 0x80000000; }, kWindowText},
    {"HugeGroups", tiny_patch, [](TinyModel& t) { t.node(1).groups = UINT32_MAX; }, kWindowText},
    {"BodyValueOfRankTwo", tiny_sparse,
     [](TinyModel& t) {
       t.moe(4).bank->values[1]->shape = {5, 1};
     },
     "a value is neither (D) nor (C, H, W)"},
    {"BodyInputThatDoesNotExist", tiny_sparse, [](TinyModel& t) { t.moe(4).bank->body[0]->inputs[0] = 3; },
     "a node's input does not exist"},
};
MOEFB_REFUSALS(TranslateNode, kRefusals);

TEST(TranslateNode, NamesTheStage) {
  TinyModel tiny = tiny_sparse();
  tiny.node(3).output = 77;
  const testing::FileBytes file = testing::finish(std::move(tiny));
  const Status status = read_graph(file.span(), true).status();
  EXPECT_EQ(status.where(), 3);
  EXPECT_EQ(status.found(), 77);
  EXPECT_EQ(status.expected(), 5);
}

TEST(TranslateNode, ReadsEveryField) {
  const testing::FileBytes file = testing::finish(tiny_patch());
  const auto graph = read_graph(file.span(), true);
  ASSERT_TRUE(graph.ok()) << graph.status().text();
  EXPECT_EQ((*graph)->values[1].name, "layer0.merged");
  EXPECT_EQ((*graph)->values[1].shape, (Shape{3, {4, 6, 4}}));
  const graph::Node& conv = (*graph)->stages[2].node;
  EXPECT_EQ(conv.op, graph::Op::kConv2d);
  EXPECT_EQ(conv.kernel_h, 3);
  EXPECT_EQ(conv.kernel_w, 3);
  EXPECT_EQ(conv.stride, 1);
  EXPECT_EQ(conv.padding, 1);
  EXPECT_EQ(conv.weight, 13);
  EXPECT_EQ(conv.bias, graph::kNone);
  const graph::Node& norm = (*graph)->stages[1].node;
  EXPECT_EQ(norm.op, graph::Op::kGroupNorm);
  EXPECT_EQ(norm.groups, 2);
  EXPECT_EQ(norm.eps, 1e-5f);
  EXPECT_EQ(norm.activation, graph::Activation::kSilu);
  const graph::Node& sum = (*graph)->stages[4].node;
  EXPECT_EQ(sum.op, graph::Op::kAdd);
  EXPECT_EQ(sum.inputs, (std::vector<int>{1, 5, 7}));
  EXPECT_EQ(sum.output, 2);
}

}  // namespace
}  // namespace moefb::format
