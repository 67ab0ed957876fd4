#include "graph/router_check.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "graph/shapes.h"
#include "runtime/graph/tiny_layers.h"

namespace moefb::graph {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
const float kNan = std::nanf("");

Status check(const TinyLayer& layer) {
  return check_router(Layer{layer.moe, layer.values[0].shape, layer.tensors});
}

/// A soft head on (4).
TinyLayer tiny_soft() {
  TinyLayer layer = tiny_head();
  layer.moe.router.kind = RouterKind::kSoft;
  layer.moe.router.top_k = 3;
  layer.moe.router.score_norm = Norm();
  return layer;
}

template <typename Change>
void expect_refused(TinyLayer layer, Change change, const char* text, Code code = Code::kCorruptFile) {
  ASSERT_TRUE(check(layer).ok()) << check(layer).text();
  change(layer.moe.router, layer);
  const Status status = check(layer);
  ASSERT_FALSE(status.ok()) << text;
  EXPECT_STREQ(status.text(), text);
  EXPECT_EQ(status.code(), code);
}

template <typename Change>
void expect_accepted(TinyLayer layer, Change change) {
  change(layer.moe.router, layer);
  EXPECT_TRUE(check(layer).ok()) << check(layer).text();
}

// ---- features
// ------------------------------------------------------------------------------------------------------------

TEST(RouterFeatures, CountsMeanMaxAndPositions) {
  Router router;
  EXPECT_EQ(router_features(router, {512, 1, 1}), 512);
  router.pool_mean = true;
  EXPECT_EQ(router_features(router, {512, 1, 1}), 512);
  router.pool_max = router.coordinates = true;
  router.fourier_bands = {1, 2, 4, 8};
  EXPECT_EQ(router_features(router, {64, 112, 112}), 164);  // spec/patch-moe.md, section 1
  EXPECT_EQ(router_features(router, {512, 14, 14}), 1060);
}

TEST(CheckRouter, TakesAVectorAsItIsOrPooled) {
  expect_accepted(tiny_head(), [](Router&, TinyLayer&) {});
  expect_accepted(tiny_head(), [](Router& r, TinyLayer&) { r.pool_mean = true; });
}

TEST(CheckRouter, RefusesPatchThatIsNotPooled) {
  expect_refused(
      tiny_patches(), [](Router& r, TinyLayer&) { r.pool_mean = r.pool_max = false; },
      "a router sees neither the mean nor the maximum of a patch");
}

TEST(CheckRouter, RefusesPositionsWithoutPooling) {
  const char* text = "a router that pools nothing has positions";
  expect_refused(
      tiny_head(), [](Router& r, TinyLayer&) { r.coordinates = true; }, text);
  expect_refused(
      tiny_head(), [](Router& r, TinyLayer&) { r.fourier_bands = {1}; }, text);
}

// The table is made at load: a file of a few kilobytes could ask for terabytes.
TEST(CheckRouter, RefusesMorePositionsThanAnyModelHas) {
  expect_refused(
      tiny_patches(),
      [](Router&, TinyLayer& layer) {
        layer.values[0].shape = {3, {4, 8192, 4096}};
      },
      "a router's table of positions is too large");
  expect_accepted(tiny_patches(), [](Router&, TinyLayer& layer) { layer.values[0].shape = {3, {4, 2048, 2048}}; });
  expect_refused(  // few patches, but a table of (rows + columns) x experts
      tiny_patches(),
      [](Router&, TinyLayer& layer) {
        layer.values[0].shape = {3, {4, 2, 1 << 20}};
        layer.moe.bank.experts = 65;
      },
      "a router's table of positions is too large");
}

TEST(CheckRouter, RefusesBandThatIsNotFinite) {
  expect_refused(
      tiny_patches(), [](Router& r, TinyLayer&) { r.fourier_bands[1] = kNan; }, "a Fourier band is not finite");
  expect_refused(
      tiny_patches(), [](Router& r, TinyLayer&) { r.fourier_bands[0] = kInfinity; }, "a Fourier band is not finite");
}

TEST(CheckRouter, RefusesWeightsOfAnotherShape) {
  const char* text = "a router, norm or gamma tensor has another shape";
  expect_refused(
      tiny_head(),
      [](Router&, TinyLayer& l) {
        l.tensors[0].shape = {2, {4, 3}};
      },
      text);
  expect_refused(
      tiny_head(),
      [](Router&, TinyLayer& l) {
        l.tensors[1].shape = {1, {4}};
      },
      text);
  expect_refused(
      tiny_patches(), [](Router& r, TinyLayer&) { r.fourier_bands = {1}; }, text);
}

TEST(CheckRouter, RefusesMissingWeight) {
  expect_refused(
      tiny_head(), [](Router& r, TinyLayer&) { r.weight = kNone; }, "a router or norm lacks its weight");
  expect_accepted(tiny_head(), [](Router& r, TinyLayer&) { r.bias = kNone; });
}

TEST(CheckRouter, RefusesRoundedWeight) {
  expect_refused(
      tiny_head(), [](Router&, TinyLayer& l) { l.tensors[0].dtype = Dtype::kBf16; },
      "a router, norm or gamma tensor is not f32");
}

TEST(CheckRouter, RefusesStackedWeight) {
  expect_refused(
      tiny_head(), [](Router&, TinyLayer& l) { l.tensors[0].count = 3; },
      "a router, norm or gamma tensor is stacked by expert");
}

// ---- norms
// ---------------------------------------------------------------------------------------------------------------

TEST(CheckRouter, RefusesEpsThatCouldDivideByZero) {
  const char* text = "a norm's eps is not a positive number";
  for (float eps : {0.0f, -1.0f, kInfinity, kNan}) {
    expect_refused(
        tiny_patches(), [eps](Router& r, TinyLayer&) { r.feature_norm.eps = eps; }, text);
    expect_refused(
        tiny_head(), [eps](Router& r, TinyLayer&) { r.score_norm.eps = eps; }, text);
  }
}

TEST(CheckRouter, RefusesLayerNormThatDoesNotFit) {
  expect_refused(
      tiny_patches(), [](Router& r, TinyLayer&) { r.feature_norm.weight = kNone; },
      "a router or norm lacks its weight");
  expect_refused(
      tiny_patches(), [](Router& r, TinyLayer&) { r.feature_norm.bias = kNone; }, "a router or norm lacks its weight");
  expect_refused(
      tiny_patches(),
      [](Router&, TinyLayer& l) {
        l.tensors[2].shape = {1, {27}};
      },
      "a router, norm or gamma tensor has another shape");
  expect_refused(
      tiny_patches(), [](Router& r, TinyLayer&) { r.feature_norm.unbiased = true; },
      "LayerNorm has an unbiased divisor");
}

TEST(CheckRouter, RefusesPartsOfANormThatIsNotThere) {
  const char* text = "a router without a norm has its eps, divisor or weight";
  expect_refused(
      tiny_soft(), [](Router& r, TinyLayer&) { r.score_norm.eps = 1; }, text);
  expect_refused(
      tiny_soft(), [](Router& r, TinyLayer&) { r.score_norm.unbiased = true; }, text);
  expect_refused(
      tiny_soft(), [](Router& r, TinyLayer&) { r.feature_norm.weight = 0; }, text);
  expect_refused(
      tiny_soft(), [](Router& r, TinyLayer&) { r.feature_norm.bias = 0; }, text);
}

TEST(CheckRouter, RefusesStandardisationWithWeights) {
  expect_refused(
      tiny_head(), [](Router& r, TinyLayer&) { r.score_norm.weight = 0; }, "a standardisation has weights");
}

TEST(CheckRouter, RefusesStandardisationOfOneExpert) {
  expect_refused(
      tiny_head(),
      [](Router& r, TinyLayer& l) {
        l.moe.bank.experts = 1;
        l.tensors[0].shape = {2, {1, 4}};
        l.tensors[1].shape = {1, {1}};
        r.top_k = 1;
      },
      "standardisation over fewer than 2 experts");
}

TEST(CheckRouter, DoesNotSupportNormsAtOtherPlaces) {
  expect_refused(
      tiny_patches(), [](Router& r, TinyLayer&) { r.feature_norm.kind = NormKind::kStandardize; },
      "a router's features are normalised by something else than LayerNorm", Code::kUnsupported);
  expect_refused(
      tiny_head(), [](Router& r, TinyLayer&) { r.score_norm.kind = NormKind::kLayerNorm; },
      "a router's scores are normalised by something else than standardisation", Code::kUnsupported);
}

// ---- scalars
// -------------------------------------------------------------------------------------------------------------

TEST(CheckRouter, RefusesTemperatureThatIsNotPositive) {
  for (float t : {0.0f, -1.0f, kInfinity, kNan}) {
    expect_refused(
        tiny_head(), [t](Router& r, TinyLayer&) { r.temperature = t; },
        "a router's temperature is not a positive number");
  }
}

TEST(CheckRouter, RefusesClampThatIsNegative) {
  for (float clamp : {-1.0f, kInfinity, kNan}) {
    expect_refused(
        tiny_patches(), [clamp](Router& r, TinyLayer&) { r.clamp = clamp; },
        "a router's clamp is negative or not a number");
  }
  expect_accepted(tiny_patches(), [](Router& r, TinyLayer&) { r.clamp = 0; });
}

TEST(CheckRouter, RefusesCapacityFactorThatIsNotPositive) {
  const double infinity = std::numeric_limits<double>::infinity();
  for (double factor : {0.0, -1.0, infinity, std::nan(""), 1e300}) {
    expect_refused(
        tiny_patches(), [factor](Router& r, TinyLayer&) { r.capacity_factor = factor; },
        "a capacity factor is not a positive number");
  }
}

// ---- what goes with each kind
// --------------------------------------------------------------------------------------------

TEST(CheckRouter, SoftRouterTakesAllExperts) {
  expect_accepted(tiny_soft(), [](Router&, TinyLayer&) {});
  expect_refused(
      tiny_soft(), [](Router& r, TinyLayer&) { r.top_k = 2; }, "a soft router's K is not its number of experts");
}

TEST(CheckRouter, SoftRouterHasNoMaskOrCombineRule) {
  const char* text = "a soft router has a mask or combine rule";
  expect_refused(
      tiny_soft(), [](Router& r, TinyLayer&) { r.mask_rule = MaskRule::kIndex; }, text);
  expect_refused(
      tiny_soft(), [](Router& r, TinyLayer&) { r.combine = CombineRule::kGate; }, text);
}

TEST(CheckRouter, TopKLiesBetweenOneAndTheExperts) {
  const char* text = "a router's K is not between 1 and its number of experts";
  expect_accepted(tiny_head(), [](Router& r, TinyLayer&) { r.top_k = 3; });
  expect_refused(
      tiny_head(), [](Router& r, TinyLayer&) { r.top_k = 0; }, text);
  expect_refused(
      tiny_head(), [](Router& r, TinyLayer&) { r.top_k = 4; }, text);
}

TEST(CheckRouter, GateWeightsNeedOneExpert) {
  expect_refused(
      tiny_head(), [](Router& r, TinyLayer&) { r.combine = CombineRule::kGate; }, "gate weights need a K of 1");
  expect_accepted(tiny_head(), [](Router& r, TinyLayer&) {
    r.combine = CombineRule::kGate;
    r.top_k = 1;
  });
}

TEST(CheckRouter, HeadsHaveNoCapacity) {
  const char* text = "a router without capacity has a capacity factor, group or drop policy";
  for (const TinyLayer& layer : {tiny_head(), tiny_soft()}) {
    expect_refused(
        layer, [](Router& r, TinyLayer&) { r.capacity_factor = 2; }, text);
    expect_refused(
        layer, [](Router& r, TinyLayer&) { r.capacity_group = CapacityGroup::kImage; }, text);
    expect_refused(
        layer, [](Router& r, TinyLayer&) { r.drop_policy = DropPolicy::kSecondChoice; }, text);
  }
}

TEST(CheckRouter, HeadsDoNotClamp) {
  const char* text = "a router of this kind does not clamp its scores";
  expect_refused(
      tiny_head(), [](Router& r, TinyLayer&) { r.clamp = 10; }, text, Code::kUnsupported);
  expect_refused(
      tiny_soft(), [](Router& r, TinyLayer&) { r.clamp = 10; }, text, Code::kUnsupported);
}

TEST(CheckRouter, OnlyTopKNormalisesScores) {
  const auto standardize = [](Router& r, TinyLayer&) {
    r.score_norm.kind = NormKind::kStandardize;
    r.score_norm.eps = 1e-5f;
  };
  const char* text = "a router of this kind does not normalise its scores";
  expect_refused(tiny_soft(), standardize, text, Code::kUnsupported);
  expect_refused(tiny_patches(), standardize, text, Code::kUnsupported);
  expect_accepted(tiny_head(), [](Router& r, TinyLayer&) { r.score_norm = Norm(); });
}

TEST(CheckRouter, PatchRouterTakesOneExpertAndNoMask) {
  expect_accepted(tiny_patches(), [](Router& r, TinyLayer&) { r.combine = CombineRule::kGate; });
  expect_refused(
      tiny_patches(), [](Router& r, TinyLayer&) { r.top_k = 2; }, "a patch router's K is not 1");
  expect_refused(
      tiny_patches(), [](Router& r, TinyLayer&) { r.mask_rule = MaskRule::kIndex; }, "a patch router has a mask rule");
}

}  // namespace
}  // namespace moefb::graph
