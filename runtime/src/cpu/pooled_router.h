// The gate of a router that pools its patches: what kernels/routing/pooled_gate.h takes, made at load.
#pragma once

#include <cstdint>

#include "buffer.h"
#include "cpu/tokens.h"
#include "graph/graph.h"
#include "kernels/routing/pooled_gate.h"
#include "moefb/result.h"

namespace moefb::cpu {

class PooledRouter {
 public:
  /// The position features of one row or column, in both halves: their mean and their squares about it.
  struct Place {
    double mean = 0;
    double squares = 0;
  };

  /// @pre router.pool_mean or router.pool_max, and the graph has been checked
  Status pack(const graph::Graph& graph, const graph::MoE& moe, const Tokens& tokens) noexcept;

  /// Values of one patch that the gate sees and that are no constants.
  int64_t channels() const noexcept { return channels_; }

  /// Raw scores of patch t.
  /// @param map      (n, h, w, c)
  /// @param scratch  channels() floats
  /// @param logits   (E)
  void run(const Tokens& tokens, const float* map, int64_t t, float* scratch, float* logits) const noexcept;

 private:
  /// Along one axis of the grid of patches.
  struct Axis {
    int64_t count = 0;        ///< features of a place, in both halves together
    Buffer<Place> places;     ///< one for each row or column; only one where there are no features
    Buffer<double> products;  ///< (places, E)
  };
  struct Folding;

  static Result<Folding> load(const graph::Graph& graph, const graph::Router& router) noexcept;
  Status pack_channels(const Folding& folding, int64_t c) noexcept;
  Status pack_axis(const Folding& folding, const graph::Router& router, int64_t axis, int64_t places,
                   Axis& dst) noexcept;
  kernels::routing::PlaceShare share(const Axis& axis, int64_t place) const noexcept;
  void pool(const Tokens& tokens, const float* map, int64_t t, float* dst) const noexcept;

  bool pool_mean_ = false, pool_max_ = false;
  bool layer_norm_ = false;
  float eps_ = 0;
  int64_t channels_ = 0;
  int64_t experts_ = 0;
  Buffer<float> weights_;  ///< these three as PooledGate has them
  Buffer<double> sums_, bias_;
  Axis rows_, columns_;
};

}  // namespace moefb::cpu
