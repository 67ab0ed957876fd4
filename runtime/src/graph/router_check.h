// The router of an MoE layer against the layer's input: part of shape inference, see moe_shapes.cpp.
#pragma once

#include <span>

#include "graph/graph.h"
#include "moefb/result.h"

namespace moefb::graph {

/// What an MoE layer is checked against.
struct Layer {
  const MoE& moe;
  const Shape& input;
  std::span<const Tensor> tensors;

  Extent extents() const noexcept { return extent(input); }
  int64_t experts() const noexcept { return moe.bank.experts; }
};

/// Proves that tensor `index` is there, unstacked, f32 and of `shape`: router and gamma tensors are one for all
/// experts, and are never rounded, since they decide.
Status check_f32(const Layer& layer, int index, const Shape& shape) noexcept;

/// Proves features, weights, norms, scalars and the options that go with the router's kind.
/// @return kCorruptFile; kUnsupported for a step that a router of this kind does not take
Status check_router(const Layer& layer) noexcept;

}  // namespace moefb::graph
