// What a router sees and decides: its features, weights and scalars, and which options go together.
#include "graph/router_check.h"

#include <algorithm>
#include <cmath>

#include "graph/shapes.h"

namespace moefb::graph {
namespace {

/// A larger factor means the same: an expert has room for every token.
constexpr double kMaxCapacityFactor = 1e6;

/// Position features of all patches of one layer, and numbers in the tables that are made of them at load: from a few
/// bytes of the file, so nothing else would bound either.
constexpr int64_t kMaxPositions = int64_t{1} << 24;

constexpr Status corrupt(const char* text) noexcept {
  return {Code::kCorruptFile, text};
}

Status check_eps(float eps) noexcept {
  return std::isfinite(eps) && eps > 0 ? Status() : corrupt("a norm's eps is not a positive number");
}

Status check_no_norm(const Norm& norm) noexcept {
  const bool none = norm.eps == 0 && !norm.unbiased && norm.weight == kNone && norm.bias == kNone;
  return none ? Status() : corrupt("a router without a norm has its eps, divisor or weight");
}

/// Of the features: none or LayerNorm.
Status check_feature_norm(const Layer& layer, int64_t features) noexcept {
  const Norm& norm = layer.moe.router.feature_norm;
  if (norm.kind == NormKind::kNone) return check_no_norm(norm);
  if (norm.kind != NormKind::kLayerNorm) {
    return {Code::kUnsupported, "a router's features are normalised by something else than LayerNorm"};
  }
  MOEFB_TRY(check_eps(norm.eps));
  if (norm.unbiased) return corrupt("LayerNorm has an unbiased divisor");
  MOEFB_TRY(check_f32(layer, norm.weight, Shape{1, {features}}));
  return check_f32(layer, norm.bias, Shape{1, {features}});
}

/// Of the scores: none or standardisation, which divides by E - 1.
Status check_score_norm(const Layer& layer) noexcept {
  const Norm& norm = layer.moe.router.score_norm;
  if (norm.kind == NormKind::kNone) return check_no_norm(norm);
  if (norm.kind != NormKind::kStandardize) {
    return {Code::kUnsupported, "a router's scores are normalised by something else than standardisation"};
  }
  MOEFB_TRY(check_eps(norm.eps));
  if (norm.weight != kNone || norm.bias != kNone) return corrupt("a standardisation has weights");
  if (layer.experts() < 2) return corrupt("standardisation over fewer than 2 experts").values(layer.experts(), 2);
  return {};
}

Status check_score_scalars(const Router& router) noexcept {
  if (!std::isfinite(router.temperature) || router.temperature <= 0) {
    return corrupt("a router's temperature is not a positive number");
  }
  if (!std::isfinite(router.clamp) || router.clamp < 0) return corrupt("a router's clamp is negative or not a number");
  return {};
}

/// Without pooling the router sees the token as it is, which must be one pixel.
Status check_pooling(const Layer& layer) noexcept {
  const Router& router = layer.moe.router;
  if (router.pool_mean || router.pool_max) return {};
  if (layer.moe.patch != 1) return corrupt("a router sees neither the mean nor the maximum of a patch");
  return position_features(router) > 0 ? corrupt("a router that pools nothing has positions") : Status();
}

Status check_positions(const Layer& layer) noexcept {
  const TokenGrid grid = token_grid(layer.extents(), layer.moe.patch);
  const int64_t features = position_features(layer.moe.router);
  const int64_t tables = features == 0 ? 0 : (grid.rows + grid.columns) * layer.experts();
  const int64_t largest = std::max(grid.per_image() * features, tables);
  if (largest <= kMaxPositions) return {};
  return corrupt("a router's table of positions is too large").values(largest, kMaxPositions);
}

Status check_features(const Layer& layer) noexcept {
  const Router& router = layer.moe.router;
  for (float band : router.fourier_bands) {
    if (!std::isfinite(band)) return corrupt("a Fourier band is not finite");
  }
  const int64_t features = router_features(router, layer.extents());
  MOEFB_TRY(check_pooling(layer));
  MOEFB_TRY(check_positions(layer));
  MOEFB_TRY(check_feature_norm(layer, features));
  MOEFB_TRY(check_f32(layer, router.weight, Shape{2, {layer.experts(), features}}));
  return router.bias == kNone ? Status() : check_f32(layer, router.bias, Shape{1, {layer.experts()}});
}

/// Heads have no capacity, so nothing that goes with it.
Status check_no_capacity(const Router& router) noexcept {
  const bool none = router.capacity_factor == 0 && router.capacity_group == CapacityGroup::kBatch &&
                    router.drop_policy == DropPolicy::kResidual;
  return none ? Status() : corrupt("a router without capacity has a capacity factor, group or drop policy");
}

// The steps of the pipeline that a kind of router does not take: well-defined, but nobody runs them.

Status check_no_score_norm(const Router& router) noexcept {
  if (router.score_norm.kind == NormKind::kNone) return {};
  return {Code::kUnsupported, "a router of this kind does not normalise its scores"};
}

Status check_no_clamp(const Router& router) noexcept {
  return router.clamp == 0 ? Status() : Status(Code::kUnsupported, "a router of this kind does not clamp its scores");
}

Status check_soft(const Router& router, int64_t experts) noexcept {
  if (router.top_k != experts) {
    return corrupt("a soft router's K is not its number of experts").values(router.top_k, experts);
  }
  if (router.mask_rule != MaskRule::kThreshold || router.combine != CombineRule::kPublished) {
    return corrupt("a soft router has a mask or combine rule");
  }
  MOEFB_TRY(check_no_score_norm(router));
  MOEFB_TRY(check_no_clamp(router));
  return check_no_capacity(router);
}

Status check_top_k(const Router& router, int64_t experts) noexcept {
  if (router.top_k < 1 || router.top_k > experts) {
    return corrupt("a router's K is not between 1 and its number of experts").values(router.top_k, experts);
  }
  if (router.combine == CombineRule::kGate && router.top_k != 1) {
    return corrupt("gate weights need a K of 1").values(router.top_k, 1);
  }
  MOEFB_TRY(check_no_clamp(router));
  return check_no_capacity(router);
}

Status check_patch_top1(const Router& router) noexcept {
  if (router.top_k != 1) return corrupt("a patch router's K is not 1").values(router.top_k, 1);
  if (router.mask_rule != MaskRule::kThreshold) return corrupt("a patch router has a mask rule");
  const double factor = router.capacity_factor;
  if (!std::isfinite(factor) || factor <= 0 || factor > kMaxCapacityFactor) {
    return corrupt("a capacity factor is not a positive number");
  }
  return check_no_score_norm(router);
}

Status check_choice(const Router& router, int64_t experts) noexcept {
  switch (router.kind) {
    case RouterKind::kSoft:
      return check_soft(router, experts);
    case RouterKind::kTopK:
      return check_top_k(router, experts);
    case RouterKind::kPatchTop1:
      return check_patch_top1(router);
  }
  return corrupt("a router's kind is unknown");
}

}  // namespace

Status check_f32(const Layer& layer, int index, const Shape& shape) noexcept {
  if (index == kNone) return corrupt("a router or norm lacks its weight");
  const Tensor& tensor = layer.tensors[size_t(index)];
  if (!(tensor.shape == shape)) return corrupt("a router, norm or gamma tensor has another shape").at(index);
  if (tensor.count != 1) {
    return corrupt("a router, norm or gamma tensor is stacked by expert").at(index).values(tensor.count, 1);
  }
  if (tensor.dtype != Dtype::kF32) return corrupt("a router, norm or gamma tensor is not f32").at(index);
  return {};
}

Status check_router(const Layer& layer) noexcept {
  MOEFB_TRY(check_features(layer));
  MOEFB_TRY(check_score_norm(layer));
  MOEFB_TRY(check_score_scalars(layer.moe.router));
  return check_choice(layer.moe.router, layer.experts());
}

int64_t position_features(const Router& router) noexcept {
  return (router.coordinates ? 2 : 0) + 4 * int64_t(router.fourier_bands.size());
}

int64_t router_features(const Router& router, const Extent& input) noexcept {
  if (!router.pool_mean && !router.pool_max) return input.c;
  return (int64_t(router.pool_mean) + int64_t(router.pool_max)) * (input.c + position_features(router));
}

}  // namespace moefb::graph
