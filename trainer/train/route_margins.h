// How far an answer was from routing otherwise: a golden vector must not sit on an edge, where rounding would change a
// route (design.md, section 6).
#pragma once

#include "trainer/models/network.h"

namespace moefb::trainer {

/// Infinite where nothing competes: no routing, every expert chosen, no token dropped.
struct RouteMargins {
  double top1;      ///< smallest lead of a chosen score over the best one not chosen
  double capacity;  ///< smallest lead of a kept over a dropped probability at one expert, and between second choices

  bool hold() const { return top1 >= 2e-3 && capacity >= 1e-4; }
};

/// @pre the network was in evaluation mode
RouteMargins route_margins(const NetworkOutput& out);

}  // namespace moefb::trainer
