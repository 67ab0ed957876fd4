#include "cpu/pooled_router.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "cpu/weights.h"
#include "graph/shapes.h"
#include "kernels/routing.h"

namespace moefb::cpu {
namespace {

namespace routing = kernels::routing;
using graph::Router;

void add_pixel(const float* pixel, int64_t c, float* sum, float* max) noexcept {
  if (sum != nullptr) {
    for (int64_t i = 0; i < c; ++i) sum[i] += pixel[i];
  }
  if (max != nullptr) {
    for (int64_t i = 0; i < c; ++i) max[i] = std::max(max[i], pixel[i]);
  }
}

void add_padding(int64_t c, float* max) noexcept {
  if (max == nullptr) return;
  for (int64_t i = 0; i < c; ++i) max[i] = std::max(max[i], 0.0f);
}

/// Which position features depend on x alone, or on y: each has a coordinate, then sines and cosines of its own.
struct AxisFeatures {
  const Router& router;
  int64_t axis;  ///< 0: x, 1: y

  int64_t bands() const noexcept { return int64_t(router.fourier_bands.size()); }
  int64_t count() const noexcept { return int64_t(router.coordinates) + 2 * bands(); }
  /// Where feature i stands among all position features.
  int64_t index(int64_t i) const noexcept {
    if (!router.coordinates) return axis * 2 * bands() + i;
    return i == 0 ? axis : 2 + axis * 2 * bands() + i - 1;
  }
  /// Of a place at 0..1.
  double value(int64_t i, double at) const noexcept {
    if (router.coordinates && i-- == 0) return at;
    const double angle = std::numbers::pi * double(router.fourier_bands[size_t(i % bands())]) * at;
    return i < bands() ? std::sin(angle) : std::cos(angle);
  }
};

constexpr Status kNoMemory(Code::kOutOfMemory, "no memory for a router");

/// In 0..1.
double place_at(int64_t place, int64_t places) noexcept {
  return places > 1 ? double(place) / double(places - 1) : 0.0;
}

/// Mean, and squares about it, of the features that stand there in each half.
PooledRouter::Place statistics(const AxisFeatures& own, double at, int64_t halves) noexcept {
  PooledRouter::Place place;
  for (int64_t i = 0; i < own.count(); ++i) place.mean += own.value(i, at) / double(own.count());
  for (int64_t i = 0; i < own.count(); ++i) {
    const double distance = own.value(i, at) - place.mean;
    place.squares += double(halves) * distance * distance;
  }
  return place;
}

}  // namespace

/// The gate's matrix with the LayerNorm's weight multiplied in.
struct PooledRouter::Folding {
  Buffer<float> weight, bias, norm_weight, norm_bias;
  int64_t features = 0;  ///< a row of the matrix

  double at(int64_t e, int64_t feature) const noexcept {
    const double w = weight[size_t(e * features + feature)];
    return norm_weight == nullptr ? w : w * double(norm_weight[size_t(feature)]);
  }
  double bias_of(int64_t e) const noexcept {
    double sum = bias == nullptr ? 0.0 : double(bias[size_t(e)]);
    if (norm_bias == nullptr) return sum;
    for (int64_t f = 0; f < features; ++f)
      sum += double(weight[size_t(e * features + f)]) * double(norm_bias[size_t(f)]);
    return sum;
  }
};

Result<PooledRouter::Folding> PooledRouter::load(const graph::Graph& graph, const Router& router) noexcept {
  Folding folding;
  MOEFB_TRY(load_f32(graph, router.weight, folding.weight));
  MOEFB_TRY(load_f32(graph, router.bias, folding.bias));
  MOEFB_TRY(load_f32(graph, router.feature_norm.weight, folding.norm_weight));
  MOEFB_TRY(load_f32(graph, router.feature_norm.bias, folding.norm_bias));
  folding.features = graph.tensors[size_t(router.weight)].shape[1];
  return folding;
}

Status PooledRouter::pack(const graph::Graph& graph, const graph::MoE& moe, const Tokens& tokens) noexcept {
  const Router& router = moe.router;
  const Result<Folding> folding = load(graph, router);
  MOEFB_TRY(folding.status());
  pool_mean_ = router.pool_mean;
  pool_max_ = router.pool_max;
  layer_norm_ = router.feature_norm.kind == graph::NormKind::kLayerNorm;
  eps_ = router.feature_norm.eps;
  experts_ = moe.bank.experts;
  MOEFB_TRY(pack_channels(*folding, tokens.channels()));
  const bool placed = graph::position_features(router) > 0;  // else nothing bounds the number of places
  MOEFB_TRY(pack_axis(*folding, router, 0, placed ? tokens.grid().columns : 1, columns_));
  return pack_axis(*folding, router, 1, placed ? tokens.grid().rows : 1, rows_);
}

Status PooledRouter::pack_channels(const Folding& folding, int64_t c) noexcept {
  const int64_t halves = int64_t(pool_mean_) + int64_t(pool_max_), half = folding.features / halves;
  const int64_t panels = (experts_ + routing::kGatePanel - 1) / routing::kGatePanel;
  channels_ = halves * c;
  weights_ = allocate<float>(panels * channels_ * routing::kGatePanel);
  sums_ = allocate<double>(experts_);
  bias_ = allocate<double>(experts_);
  if (weights_ == nullptr || sums_ == nullptr || bias_ == nullptr) return kNoMemory;
  for (int64_t e = 0; e < panels * routing::kGatePanel; ++e) {
    float* panel = weights_.get() + e / routing::kGatePanel * channels_ * routing::kGatePanel + e % routing::kGatePanel;
    for (int64_t i = 0; i < channels_; ++i) {
      panel[i * routing::kGatePanel] = e < experts_ ? float(folding.at(e, i / c * half + i % c)) : 0.0f;
    }
  }
  for (int64_t e = 0; e < experts_; ++e) bias_[size_t(e)] = folding.bias_of(e);
  std::fill_n(sums_.get(), experts_, 0.0);  // pack_axis adds to them
  return {};
}

Status PooledRouter::pack_axis(const Folding& folding, const Router& router, int64_t axis, int64_t places,
                               Axis& dst) noexcept {
  const AxisFeatures own{router, axis};
  const int64_t halves = int64_t(pool_mean_) + int64_t(pool_max_), half = folding.features / halves;
  const int64_t first = half - graph::position_features(router);  // behind the channels of each half
  dst.count = halves * own.count();
  dst.places = allocate<Place>(places);
  dst.products = allocate<double>(places * experts_);
  if (dst.places == nullptr || dst.products == nullptr) return kNoMemory;
  std::fill_n(dst.products.get(), places * experts_, 0.0);
  for (int64_t p = 0; p < places; ++p) dst.places[size_t(p)] = statistics(own, place_at(p, places), halves);
  for (int64_t i = 0; i < own.count(); ++i) {
    for (int64_t e = 0; e < experts_; ++e) {
      double weight = 0;
      for (int64_t h = 0; h < halves; ++h) weight += folding.at(e, h * half + first + own.index(i));
      sums_[size_t(e)] += weight;
      for (int64_t p = 0; p < places; ++p) {
        dst.products[size_t(p * experts_ + e)] += weight * own.value(i, place_at(p, places));
      }
    }
  }
  return {};
}

routing::PlaceShare PooledRouter::share(const Axis& axis, int64_t place) const noexcept {
  if (axis.count == 0) place = 0;
  const Place& at = axis.places[size_t(place)];
  return {axis.count, at.mean, at.squares, axis.products.get() + place * experts_};
}

void PooledRouter::pool(const Tokens& tokens, const float* map, int64_t t, float* dst) const noexcept {
  const int64_t c = tokens.channels();
  float* mean = pool_mean_ ? dst : nullptr;
  float* max = pool_max_ ? dst + channels_ - c : nullptr;
  if (mean != nullptr) std::fill_n(mean, c, 0.0f);
  if (max != nullptr) std::fill_n(max, c, -INFINITY);
  tokens.for_each_pixel(map, t, [&](const float* pixel) {
    if (pixel != nullptr) return add_pixel(pixel, c, mean, max);
    add_padding(c, max);
  });
  if (mean == nullptr) return;
  const auto pixels = float(tokens.patch() * tokens.patch());
  for (int64_t i = 0; i < c; ++i) mean[i] /= pixels;
}

void PooledRouter::run(const Tokens& tokens, const float* map, int64_t t, float* scratch,
                       float* logits) const noexcept {
  pool(tokens, map, t, scratch);
  const int64_t place = t % tokens.per_image(), columns = tokens.grid().columns;
  const routing::PooledGate gate{weights_.get(), sums_.get(), bias_.get(), layer_norm_, eps_};
  routing::pooled_gate(gate, share(rows_, place / columns), share(columns_, place % columns), channels_, experts_,
                       scratch, logits);
}

}  // namespace moefb::cpu
