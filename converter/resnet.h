// The backbone of the CIFAR heads: ResNet-18 with a 3x3 stem (spec/cifar-heads.md, section 2), any width.
#pragma once

#include <cstdint>

#include "converter/graph_builder.h"

namespace moefb::convert {

/// Appends stem, layer1 to layer4 and the pooling. @return the value `features` (D)
uint32_t build_resnet(GraphBuilder& builder);

}  // namespace moefb::convert
