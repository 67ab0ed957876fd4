// How far a run was from routing otherwise: golden vectors must not sit on an edge, where rounding would change a
// route.
#pragma once

#include "moefb/executor.h"

namespace moefb::convert {

inline constexpr float kMinTop1Margin = 2e-3f;  // design.md, section 6
inline constexpr float kMinCapacityMargin = 1e-4f;

/// Infinite where nothing competes: no routing, every expert chosen, no token dropped.
struct Margins {
  float top1;      ///< smallest lead of a chosen score over the best one not chosen
  float capacity;  ///< smallest lead of a kept over a dropped probability at one expert

  bool hold() const { return top1 >= kMinTop1Margin && capacity >= kMinCapacityMargin; }
  /// 1 if the margins just hold; for picking the best of several.
  float quality() const;
};

/// Of the last run. @pre the executor keeps Trace::kRouting or kAll
Margins measure_margins(const Executor& executor);

}  // namespace moefb::convert
