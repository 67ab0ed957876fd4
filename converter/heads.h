// The classifier heads: dense, soft and sparse (spec/cifar-heads.md, sections 3 to 6).
#pragma once

#include <cstdint>
#include <string>

#include "converter/graph_builder.h"

namespace moefb::convert {

/// Appends the head that the configuration names.
/// @param prefix    "head." in a whole model, "" in a head-only file
/// @param features  (D)
/// @return the value `logits` (classes)
uint32_t build_head(GraphBuilder& builder, const std::string& prefix, uint32_t features);

/// How many features the head in these weights takes. @param prefix  as above
int64_t head_features(const GraphBuilder& builder, const std::string& prefix);

}  // namespace moefb::convert
