// What the processes' networks said, brought together for meters and answers.
#pragma once

#include <vector>

#include "trainer/distributed/group.h"
#include "trainer/models/network.h"

namespace moefb::trainer {

/// Each process's output, by rank: logits, probs and topk_idx of a head, what a RoutingMeter reads of a patch network's
/// layers. No slopes. A process's batch may be empty. Alone: `out` itself.
std::vector<NetworkOutput> outputs_of_all(const NetworkOutput& out, const Group& group);

/// The shares of one batch as one process would have put it out.
NetworkOutput joined(std::vector<NetworkOutput> shares);

}  // namespace moefb::trainer
