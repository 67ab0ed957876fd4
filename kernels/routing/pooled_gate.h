// The gate of a pooled patch, with all that depends on the patch's place only folded into constants.
//
//   z       mean of the C channels, F position features, maximum of the C channels, the same F features (either half
//   may
//           be absent); n values in all, m of them positions
//   logits  W LayerNorm(z) + b                                             spec/patch-moe.md, section 3
//
// With G = W * (LayerNorm's weight), mu the mean of z and s = 1 / sqrt(var + eps):
//
//   logits_e = s (sum_c G_ec (z_c - mu) + P_e - mu S_e) + B_e              c over channels, f over positions
//   P_e = sum_f G_ef z_f,  S_e = sum_f G_ef,  B_e = b_e + sum W_e * (LayerNorm's bias)
//   n var = sum_c (z_c - mu)^2 + V + m (M - mu)^2                          M the positions' mean, V their squares about
//   it
//
// A row of patches shares y, a column x, and every position feature depends on one of them: so P, V and M are given
// once for the row and once for the column. Everything is a sum of squares or of centred values: nothing cancels.
#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/routing/host_device.h"
#include "kernels/routing/scores.h"

namespace moefb::kernels::routing {

inline constexpr int64_t kGatePanel = 8;  ///< experts whose sums are kept in registers

/// What the position features along one axis contribute at one place. `count` of them, in both halves together.
struct PlaceShare {
  int64_t count = 0;
  double mean = 0;
  double squares = 0;                ///< about their mean
  const double* products = nullptr;  ///< (E) P_e
};

struct PooledGate {
  const float* weights = nullptr;  ///< (ceil(E / 8), C, 8) G of the channels, 0 beyond E
  const double* sums = nullptr;    ///< (E) S_e
  const double* bias = nullptr;    ///< (E) B_e
  bool layer_norm = false;         ///< false: mu = 0 and s = 1
  float eps = 0;
};

MOEFB_HD inline double squares_about(const PlaceShare& share, double center) noexcept {
  return share.squares + static_cast<double>(share.count) * (share.mean - center) * (share.mean - center);
}

/// @param channels  (C) pooled channels of one patch; overwritten by their distances from mu
/// @param logits    (E) out
MOEFB_HD inline void pooled_gate(const PooledGate& gate, const PlaceShare& row, const PlaceShare& column, int64_t C,
                                 int64_t E, float* channels, float* logits) noexcept {
  double center = 0, scale = 1;
  if (gate.layer_norm) {
    const auto n = static_cast<double>(C + row.count + column.count);
    double sum = static_cast<double>(row.count) * row.mean + static_cast<double>(column.count) * column.mean;
    for (int64_t c = 0; c < C; ++c) sum += channels[c];
    center = sum / n;
    const double squares =
        squared_distances(channels, C, center) + squares_about(row, center) + squares_about(column, center);
    scale = 1.0 / std::sqrt(squares / n + gate.eps);
    for (int64_t c = 0; c < C; ++c) channels[c] = static_cast<float>(channels[c] - center);
  }
  for (int64_t first = 0; first < E; first += kGatePanel) {
    const float* weights = gate.weights + first * C;
    float sums[kGatePanel] = {};
    for (int64_t c = 0; c < C; ++c) {
      for (int64_t e = 0; e < kGatePanel; ++e) sums[e] += channels[c] * weights[c * kGatePanel + e];
    }
    for (int64_t e = first; e < E && e < first + kGatePanel; ++e) {
      const double place = row.products[e] + column.products[e] - center * gate.sums[e];
      logits[e] = static_cast<float>(scale * (sums[e - first] + place) + gate.bias[e]);
    }
  }
}

}  // namespace moefb::kernels::routing
