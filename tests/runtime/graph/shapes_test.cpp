#include "graph/shapes.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace moefb::graph {
namespace {

Value value(Shape shape) {
  return {"", shape};
}

Tensor tensor(Shape shape, int64_t count = 1, Dtype dtype = Dtype::kF32) {
  Tensor t;
  t.shape = shape;
  t.count = count;
  t.dtype = dtype;
  return t;
}

/// Nodes on one table of values and tensors; each test changes what it is about.
class NodeShapes : public ::testing::Test {
 protected:
  std::vector<Value> values_ = {value({3, {4, 9, 7}}), value({3, {6, 9, 7}}), value({1, {4}}), value({1, {5}})};
  std::vector<Tensor> tensors_ = {tensor({4, {6, 4, 3, 3}}), tensor({1, {6}}), tensor({2, {5, 4}}),
                                  tensor({1, {5}}),          tensor({1, {4}}), tensor({1, {4}})};
  int64_t experts_ = 1;

  Node conv() const {
    Node node;
    node.op = Op::kConv2d;
    node.inputs = {0};
    node.weight = 0;
    node.bias = 1;
    node.kernel_h = node.kernel_w = 3;
    node.padding = 1;
    return node;
  }
  Node linear() const {
    Node node;
    node.op = Op::kLinear;
    node.inputs = {2};
    node.weight = 2;
    node.bias = 3;
    return node;
  }
  Node max_pool() const {
    Node node;
    node.op = Op::kMaxPool;
    node.inputs = {0};
    node.kernel_h = 3;
    node.kernel_w = 2;
    node.stride = 2;
    return node;
  }
  Node average_pool() const {
    Node node;
    node.op = Op::kGlobalAveragePool;
    node.inputs = {0};
    return node;
  }
  Node norm() const {
    Node node;
    node.op = Op::kGroupNorm;
    node.inputs = {0};
    node.weight = 4;
    node.bias = 5;
    node.groups = 2;
    node.eps = 1e-5f;
    return node;
  }
  Node sum() const {
    Node node;
    node.op = Op::kAdd;
    node.inputs = {0, 0};
    return node;
  }

  void expect(const Node& node, Shape shape) const {
    const auto result = infer(node, values_, tensors_, experts_);
    ASSERT_TRUE(result.ok()) << result.status().text();
    EXPECT_EQ(*result, shape);
  }
  void refuse(const Node& node, const char* text) const {
    const auto result = infer(node, values_, tensors_, experts_);
    ASSERT_FALSE(result.ok()) << text;
    EXPECT_STREQ(result.status().text(), text);
    EXPECT_EQ(result.status().code(), Code::kCorruptFile);
  }
  /// `change` applied to `node` is refused with `text`.
  template <typename Change>
  void refuse(Node node, Change change, const char* text) const {
    change(node);
    refuse(node, text);
  }
};

// ---- convolution
// ---------------------------------------------------------------------------------------------------------

TEST_F(NodeShapes, ConvKeepsTheMapUnderHalfPadding) {
  expect(conv(), {3, {6, 9, 7}});
}

TEST_F(NodeShapes, ConvCountsWholeWindowsOnly) {
  Node node = conv();
  node.stride = 2;
  expect(node, {3, {6, 5, 4}});
  node.padding = 0;
  expect(node, {3, {6, 4, 3}});
  node.stride = 100;
  expect(node, {3, {6, 1, 1}});
}

TEST_F(NodeShapes, ConvTakesOblongKernels) {
  tensors_[0].shape = {4, {6, 4, 1, 5}};
  Node node = conv();
  node.kernel_h = 1;
  node.kernel_w = 5;
  node.padding = 0;
  expect(node, {3, {6, 9, 3}});
}

TEST_F(NodeShapes, ConvTakesBf16WeightsAndNoBias) {
  tensors_[0].dtype = Dtype::kBf16;
  Node node = conv();
  node.bias = kNone;
  expect(node, {3, {6, 9, 7}});
}

TEST_F(NodeShapes, ConvAddsAResidualOfItsOwnShape) {
  Node node = conv();
  node.inputs = {0, 1};
  expect(node, {3, {6, 9, 7}});
  node.inputs = {0, 0};
  refuse(node, "a residual input has another shape");
}

TEST_F(NodeShapes, ConvRefusesWrongInputs) {
  refuse(
      conv(), [](Node& n) { n.inputs = {}; }, "an op has too few inputs");
  refuse(
      conv(),
      [](Node& n) {
        n.inputs = {0, 1, 1};
      },
      "an op has too many inputs");
  refuse(
      conv(), [](Node& n) { n.inputs = {2}; }, "an op takes a map (C, H, W)");
}

TEST_F(NodeShapes, ConvRefusesWeightsThatDoNotFit) {
  const char* text = "a weight's shape does not fit its op";
  refuse(
      conv(), [](Node& n) { n.weight = kNone; }, "an op lacks its weight");
  refuse(
      conv(), [](Node& n) { n.weight = 2; }, "a convolution's weight is not (O, I, KH, KW)");
  refuse(
      conv(), [](Node& n) { n.kernel_h = 5; }, text);
  refuse(
      conv(), [](Node& n) { n.kernel_w = 1; }, text);
  refuse(
      conv(), [](Node& n) { n.inputs = {1}; }, text);
  refuse(
      conv(), [](Node& n) { n.bias = 3; }, text);
}

TEST_F(NodeShapes, ConvRefusesGroupsAndEps) {
  const char* text = "an op without normalisation has groups or eps";
  refuse(
      conv(), [](Node& n) { n.groups = 2; }, text);
  refuse(
      conv(), [](Node& n) { n.groups = 0; }, text);
  refuse(
      conv(), [](Node& n) { n.eps = 1e-5f; }, text);
}

TEST_F(NodeShapes, ConvRefusesOtherDtypes) {
  const char* text = "a weight has a dtype that its op does not take";
  tensors_[0].dtype = Dtype::kI32;
  refuse(conv(), text);
  tensors_[0].dtype = Dtype::kF32;
  tensors_[1].dtype = Dtype::kBf16;
  refuse(conv(), text);
}

TEST_F(NodeShapes, WindowsRefuseNonsense) {
  refuse(
      conv(), [](Node& n) { n.stride = 0; }, "a window has a kernel or stride of 0");
  refuse(
      conv(), [](Node& n) { n.padding = 3; }, "a window's padding reaches its kernel size");
  tensors_[0].shape = {4, {6, 4, 11, 3}};
  refuse(
      conv(),
      [](Node& n) {
        n.kernel_h = 11;
        n.padding = 0;
      },
      "a window is larger than its padded input");
}

// ---- experts
// -------------------------------------------------------------------------------------------------------------

TEST_F(NodeShapes, ExpertWeightsMustBeStackedOncePerExpert) {
  const char* text = "a weight holds another number of experts";
  experts_ = 3;
  refuse(linear(), text);
  tensors_[2].count = 3;
  refuse(linear(), text);
  tensors_[3].count = 3;
  expect(linear(), {1, {5}});
  experts_ = 1;
  refuse(linear(), text);
}

// ---- linear
// --------------------------------------------------------------------------------------------------------------

TEST_F(NodeShapes, LinearGivesItsOutputs) {
  expect(linear(), {1, {5}});
  Node node = linear();
  node.bias = kNone;
  node.inputs = {2, 3};
  expect(node, {1, {5}});
}

TEST_F(NodeShapes, LinearRefusesWhatDoesNotFit) {
  refuse(
      linear(), [](Node& n) { n.inputs = {}; }, "an op has too few inputs");
  refuse(
      linear(),
      [](Node& n) {
        n.inputs = {2, 2};
      },
      "a residual input has another shape");
  refuse(
      linear(), [](Node& n) { n.inputs = {0}; }, "a linear layer takes a vector (D)");
  refuse(
      linear(), [](Node& n) { n.inputs = {3}; }, "a weight's shape does not fit its op");
  refuse(
      linear(), [](Node& n) { n.weight = kNone; }, "an op lacks its weight");
  refuse(
      linear(), [](Node& n) { n.weight = 0; }, "a linear layer's weight is not (O, I)");
  refuse(
      linear(), [](Node& n) { n.bias = 4; }, "a weight's shape does not fit its op");
}

TEST_F(NodeShapes, LinearRefusesWindowsAndNorms) {
  const char* text = "an op without a window has a kernel, stride or padding";
  refuse(
      linear(), [](Node& n) { n.kernel_h = 1; }, text);
  refuse(
      linear(), [](Node& n) { n.kernel_w = 1; }, text);
  refuse(
      linear(), [](Node& n) { n.stride = 2; }, text);
  refuse(
      linear(), [](Node& n) { n.padding = 1; }, text);
  refuse(
      linear(), [](Node& n) { n.groups = 2; }, "an op without normalisation has groups or eps");
}

// ---- pooling
// -------------------------------------------------------------------------------------------------------------

TEST_F(NodeShapes, MaxPoolKeepsChannels) {
  expect(max_pool(), {3, {4, 4, 3}});
}

TEST_F(NodeShapes, MaxPoolRefusesWhatDoesNotFit) {
  refuse(
      max_pool(),
      [](Node& n) {
        n.inputs = {0, 0};
      },
      "an op has too many inputs");
  refuse(
      max_pool(), [](Node& n) { n.inputs = {2}; }, "an op takes a map (C, H, W)");
  refuse(
      max_pool(), [](Node& n) { n.weight = 0; }, "an op without weights has some");
  refuse(
      max_pool(), [](Node& n) { n.bias = 0; }, "an op without weights has some");
  refuse(
      max_pool(), [](Node& n) { n.eps = 1; }, "an op without normalisation has groups or eps");
  refuse(
      max_pool(), [](Node& n) { n.activation = Activation::kRelu; }, "pooling has no activation");
  refuse(
      max_pool(), [](Node& n) { n.kernel_h = 0; }, "a window has a kernel or stride of 0");
  refuse(
      max_pool(), [](Node& n) { n.padding = 2; }, "a window's padding reaches its kernel size");
}

TEST_F(NodeShapes, AveragePoolGivesOneNumberAChannel) {
  expect(average_pool(), {1, {4}});
}

TEST_F(NodeShapes, AveragePoolRefusesWhatDoesNotFit) {
  refuse(
      average_pool(), [](Node& n) { n.inputs = {}; }, "an op has too few inputs");
  refuse(
      average_pool(), [](Node& n) { n.inputs = {2}; }, "an op takes a map (C, H, W)");
  refuse(
      average_pool(), [](Node& n) { n.weight = 0; }, "an op without weights has some");
  refuse(
      average_pool(), [](Node& n) { n.kernel_h = 9; }, "an op without a window has a kernel, stride or padding");
  refuse(
      average_pool(), [](Node& n) { n.groups = 4; }, "an op without normalisation has groups or eps");
  refuse(
      average_pool(), [](Node& n) { n.activation = Activation::kSilu; }, "pooling has no activation");
}

// ---- group norm and add
// --------------------------------------------------------------------------------------------------

TEST_F(NodeShapes, GroupNormKeepsTheShape) {
  expect(norm(), {3, {4, 9, 7}});
}

TEST_F(NodeShapes, GroupNormRefusesGroupsThatDoNotDivide) {
  const char* text = "the groups of a norm do not divide its channels";
  for (int groups : {0, 3, 8})
    refuse(
        norm(), [groups](Node& n) { n.groups = groups; }, text);
}

TEST_F(NodeShapes, GroupNormRefusesEpsThatCouldDivideByZero) {
  const char* text = "a norm's eps is not a positive number";
  for (float eps : {0.0f, -1e-5f, std::numeric_limits<float>::infinity(), std::nanf("")}) {
    refuse(
        norm(), [eps](Node& n) { n.eps = eps; }, text);
  }
}

TEST_F(NodeShapes, GroupNormRefusesWhatDoesNotFit) {
  refuse(
      norm(),
      [](Node& n) {
        n.inputs = {0, 0};
      },
      "an op has too many inputs");
  refuse(
      norm(), [](Node& n) { n.inputs = {2}; }, "an op takes a map (C, H, W)");
  refuse(
      norm(), [](Node& n) { n.stride = 2; }, "an op without a window has a kernel, stride or padding");
  refuse(
      norm(), [](Node& n) { n.weight = kNone; }, "an op lacks its weight");
  refuse(
      norm(), [](Node& n) { n.bias = kNone; }, "an op lacks its weight");
  refuse(
      norm(), [](Node& n) { n.weight = 3; }, "a weight's shape does not fit its op");
  refuse(
      norm(), [](Node& n) { n.bias = 3; }, "a weight's shape does not fit its op");
  tensors_[4].dtype = Dtype::kBf16;
  refuse(norm(), "a weight has a dtype that its op does not take");
}

TEST_F(NodeShapes, AddTakesTwoToEightOfOneShape) {
  expect(sum(), {3, {4, 9, 7}});
  Node node = sum();
  node.inputs.assign(8, 0);
  expect(node, {3, {4, 9, 7}});
  refuse(
      sum(), [](Node& n) { n.inputs = {0}; }, "an op has too few inputs");
  refuse(
      sum(), [](Node& n) { n.inputs.assign(9, 0); }, "an op has too many inputs");
  refuse(
      sum(),
      [](Node& n) {
        n.inputs = {0, 0, 1};
      },
      "the inputs of an addition differ in shape");
}

// The reader lets none through; whoever builds a Graph by hand might.
TEST_F(NodeShapes, RefusesAnOpThatThereIsNot) {
  refuse(
      sum(), [](Node& n) { n.op = Op(6); }, "an op is unknown");
}

TEST_F(NodeShapes, AddRefusesWhatItDoesNotUse) {
  refuse(
      sum(), [](Node& n) { n.bias = 1; }, "an op without weights has some");
  refuse(
      sum(), [](Node& n) { n.kernel_w = 3; }, "an op without a window has a kernel, stride or padding");
  refuse(
      sum(), [](Node& n) { n.eps = 1; }, "an op without normalisation has groups or eps");
}

}  // namespace
}  // namespace moefb::graph
