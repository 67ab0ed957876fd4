// The patch MoE network (spec/patch-moe.md, sections 1 to 6): stem, MoE and down-sampling layers, head.
#pragma once

#include <cstdint>

#include "converter/graph_builder.h"

namespace moefb::convert {

/// Appends the whole network, the list of its layers read from the tensors. Without stem tensors the input is the first
/// layer's map.
/// @return the value `logits` (classes)
uint32_t build_patch_net(GraphBuilder& builder);

/// Whether these weights begin with a stem, so that the model takes pictures.
bool has_stem(const StateDict& source);

}  // namespace moefb::convert
