#include <gtest/gtest.h>

#include "graph/shapes.h"
#include "runtime/graph/tiny_layers.h"

namespace moefb::graph {
namespace {

void expect_shape(const TinyLayer& layer, Shape shape) {
  const auto result = infer(layer.moe, layer.values, layer.tensors);
  ASSERT_TRUE(result.ok()) << result.status().text();
  EXPECT_EQ(*result, shape);
}

template <typename Change>
void expect_refused(TinyLayer layer, Change change, const char* text) {
  ASSERT_TRUE(infer(layer.moe, layer.values, layer.tensors).ok());
  change(layer);
  const auto result = infer(layer.moe, layer.values, layer.tensors);
  ASSERT_FALSE(result.ok()) << text;
  EXPECT_STREQ(result.status().text(), text);
  EXPECT_EQ(result.status().code(), Code::kCorruptFile);
}

TEST(MoeShapes, HeadGivesClasses) {
  expect_shape(tiny_head(), {1, {2}});
}

TEST(MoeShapes, PatchesThatDoNotDivideTheMapMakeItGrow) {
  TinyLayer layer = tiny_patches();
  expect_shape(layer, {3, {4, 6, 4}});
  layer.values[0].shape = {3, {4, 4, 4}};
  expect_shape(layer, {3, {4, 4, 4}});
}

TEST(MoeShapes, CroppedMapKeepsItsSize) {
  TinyLayer layer = tiny_patches();
  layer.moe.crop_padding = true;
  expect_shape(layer, {3, {4, 5, 4}});
}

TEST(MoeShapes, RefusesToCropAVector) {
  expect_refused(
      tiny_head(), [](TinyLayer& l) { l.moe.crop_padding = true; }, "a vector has no padding to crop");
}

TEST(MoeShapes, OnePatchMayBeLargerThanTheMap) {
  TinyLayer layer = tiny_patches();
  layer.moe.patch = 8;
  for (Value& value : layer.moe.bank.values) value.shape = {3, {4, 8, 8}};
  expect_shape(layer, {3, {4, 8, 8}});
}

TEST(MoeShapes, VectorWithResidualKeepsItsShape) {
  TinyLayer layer = tiny_head();
  layer.moe.residual = true;
  layer.moe.bank.values[2].shape = {1, {4}};
  layer.tensors[3].shape = {2, {4, 5}};
  expect_shape(layer, {1, {4}});
}

TEST(MoeShapes, RefusesPatchOfZero) {
  expect_refused(
      tiny_patches(), [](TinyLayer& l) { l.moe.patch = 0; }, "a patch has no pixels");
}

TEST(MoeShapes, RefusesPatchesOfAVector) {
  expect_refused(
      tiny_head(), [](TinyLayer& l) { l.moe.patch = 2; }, "a vector is cut into patches");
}

TEST(MoeShapes, RefusesNumberOfExpertsOutOfRange) {
  const char* text = "the number of experts is out of range";
  expect_refused(
      tiny_head(), [](TinyLayer& l) { l.moe.bank.experts = 0; }, text);
  expect_refused(
      tiny_head(), [](TinyLayer& l) { l.moe.bank.experts = kMaxExperts + 1; }, text);
}

TEST(MoeShapes, RefusesGammaThatIsNoScalar) {
  const char* text = "a router, norm or gamma tensor has another shape";
  expect_refused(
      tiny_patches(),
      [](TinyLayer& l) {
        l.tensors[0].shape = {1, {2}};
      },
      text);
  expect_refused(
      tiny_patches(),
      [](TinyLayer& l) {
        l.tensors[0].shape = {2, {1, 1}};
      },
      text);
}

TEST(MoeShapes, RefusesGammaPerExpert) {
  expect_refused(
      tiny_patches(), [](TinyLayer& l) { l.tensors[0].count = 3; },
      "a router, norm or gamma tensor is stacked by expert");
}

TEST(MoeShapes, RefusesExpertWithoutBody) {
  expect_refused(
      tiny_head(), [](TinyLayer& l) { l.moe.bank.body.clear(); }, "an expert has no body");
  expect_refused(
      tiny_head(), [](TinyLayer& l) { l.moe.bank.values.clear(); }, "an expert has no body");
}

TEST(MoeShapes, RefusesTokenOfAnotherShape) {
  const char* text = "an expert's value 0 is not shaped like a token";
  expect_refused(
      tiny_patches(),
      [](TinyLayer& l) {
        l.moe.bank.values[0].shape = {3, {4, 5, 4}};
      },
      text);
  expect_refused(
      tiny_head(),
      [](TinyLayer& l) {
        l.moe.bank.values[0].shape = {3, {4, 1, 1}};
      },
      text);
}

TEST(MoeShapes, RefusesBodyOutOfOrder) {
  expect_refused(
      tiny_head(), [](TinyLayer& l) { std::swap(l.moe.bank.body[0], l.moe.bank.body[1]); },
      "a value is used before it is defined");
}

TEST(MoeShapes, RefusesBodyThatOverwritesItsToken) {
  expect_refused(
      tiny_patches(), [](TinyLayer& l) { l.moe.bank.body[0].output = 0; }, "a value is defined twice");
}

TEST(MoeShapes, RefusesBodyValueThatNobodyUses) {
  expect_refused(
      tiny_patches(),
      [](TinyLayer& l) {
        l.moe.bank.body[1].inputs = {0, 0};
      },
      "a value is never used");
}

TEST(MoeShapes, RefusesBodyValueThatNobodyDefines) {
  expect_refused(
      tiny_patches(), [](TinyLayer& l) { l.moe.bank.values.push_back(l.moe.bank.values[0]); },
      "a value is never defined");
}

TEST(MoeShapes, RefusesBodyValueOfAnotherShape) {
  expect_refused(
      tiny_head(),
      [](TinyLayer& l) {
        l.moe.bank.values[2].shape = {1, {3}};
      },
      "an expert's value has another shape than its op gives");
}

TEST(MoeShapes, RefusesBodyWeightOfAnotherNumberOfExperts) {
  expect_refused(
      tiny_head(), [](TinyLayer& l) { l.tensors[2].count = 2; }, "a weight holds another number of experts");
}

TEST(MoeShapes, RefusesResidualToAnotherShape) {
  expect_refused(
      tiny_head(), [](TinyLayer& l) { l.moe.residual = true; },
      "an expert with a residual does not answer in a token's shape");
}

TEST(MoeShapes, RefusesPatchesWithoutResidual) {
  expect_refused(
      tiny_patches(), [](TinyLayer& l) { l.moe.residual = false; },
      "an MoE layer without residual is not vector to vector");
}

}  // namespace
}  // namespace moefb::graph
