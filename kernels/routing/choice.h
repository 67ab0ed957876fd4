// Which experts a token goes to: the order of scores and its first K.
#pragma once

#include <cstdint>

#include "kernels/routing/host_device.h"

namespace moefb::kernels::routing {

/// Whether item i with score a comes before item j with score b: the larger score, among equals the lower index, and
/// what is no number last. A total order, so that every sort gives the same result and none can run away.
MOEFB_HD inline bool precedes(float a, int64_t i, float b, int64_t j) noexcept {
  if (a > b) return true;
  if (a < b) return false;
  const bool a_is_nan = a != a;
  const bool b_is_nan = b != b;
  return a_is_nan != b_is_nan ? b_is_nan : i < j;
}

/// The K largest, best first; among equals the lower index. K passes: for the few dozen experts we have a heap costs
/// more than it saves.
/// @param scores  (E)
/// @param chosen  (K) out; K <= E
MOEFB_HD inline void top_k(const float* scores, int64_t E, int64_t K, int32_t* chosen) noexcept {
  for (int64_t k = 0; k < K; ++k) {
    int32_t best = -1;
    for (int32_t e = 0; e < E; ++e) {
      const bool taken = k > 0 && !precedes(scores[chosen[k - 1]], chosen[k - 1], scores[e], e);
      if (!taken && (best < 0 || precedes(scores[e], e, scores[best], best))) best = e;
    }
    chosen[k] = best;
  }
}

}  // namespace moefb::kernels::routing
