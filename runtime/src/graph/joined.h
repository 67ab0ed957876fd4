// Which sums a kernel may do along with the group norm before them.
#pragma once

#include <vector>

#include "graph/graph.h"

namespace moefb::graph {

/// Per stage: true for a group norm that the next stage, a sum, is the only one to read, as its last addend or one of
/// two. Both can be done in one pass over memory, with the same order of additions.
std::vector<bool> joined_with_next(const Graph& graph);

/// The same for the nodes of an expert's body.
std::vector<bool> joined_with_next(const ExpertBank& bank);

}  // namespace moefb::graph
