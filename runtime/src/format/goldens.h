// Golden vectors of a file: known inputs with their answers.
#pragma once

#include <vector>

#include "format/tensors.h"
#include "graph/graph.h"
#include "moefb/result.h"
#include "schema/moefb_generated.h"

namespace moefb::format {

/// Proves that inputs, logits and routes have the shapes that the graph gives them, and that routes name experts.
/// @param tensors  places the vectors' tensors, beside all others of the file
/// @param graph    proved but for its goldens, which are filled in; they point into the file
/// @return kCorruptFile with the vector's index
Status read_goldens(const fb::Model& model, TensorReader& tensors, graph::Graph& graph);

}  // namespace moefb::format
