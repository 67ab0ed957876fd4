// ResNet-18 of any width: the backbone of the CIFAR heads (3x3 stem; spec/cifar-heads.md, section 2), and the dense
// network that patch networks are compared with (torchvision's: 7x7 stem and max-pooling; spec/patch-moe.md,
// section 9).
#pragma once

#include <cstdint>

#include "converter/graph_builder.h"

namespace moefb::convert {

/// Appends stem, layer1 to layer4 and the pooling of the CIFAR backbone. @return the value `features` (D)
uint32_t build_backbone(GraphBuilder& builder);

/// Appends the whole of torchvision's network, with its classifier `fc`. @return the value `logits` (classes)
uint32_t build_resnet18(GraphBuilder& builder);

}  // namespace moefb::convert
