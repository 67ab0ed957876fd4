// A translated Graph as a whole: every value defined before it is used, every declared shape the inferred one.
#pragma once

#include "graph/graph.h"
#include "moefb/result.h"

namespace moefb::format {

/// @param graph  its indices are in range
/// @return kCorruptFile, kUnsupported with the index of the stage or value
Status check_graph(const graph::Graph& graph);

}  // namespace moefb::format
