// Shape inference: what each op makes of its inputs. The reader uses it to prove a file's declared shapes.
#pragma once

#include <span>

#include "graph/graph.h"
#include "moefb/result.h"

namespace moefb::graph {

/// Largest number of elements a value may have for one image (or one token): keeps every later product within int64.
inline constexpr int64_t kMaxElements = int64_t{1} << 31;
inline constexpr int64_t kMaxExtent = int64_t{1} << 24;
inline constexpr int kMaxExperts = 1 << 16;

/// The output of `node`, whose inputs are in `values` and whose weights in `tensors`.
/// @param experts  how many experts the node's tensors must hold; 1 outside expert bodies
/// @return kCorruptFile if the node's attributes, inputs or weights do not fit one another
Result<Shape> infer(const Node& node, std::span<const Value> values, std::span<const Tensor> tensors,
                    int64_t experts) noexcept;

/// The output of an MoE layer; checks its router, expert body and scalars against the input's shape.
Result<Shape> infer(const MoE& moe, std::span<const Value> values, std::span<const Tensor> tensors) noexcept;

/// Number of features that the router sees of one token.
int64_t router_features(const Router& router, const Extent& input) noexcept;

/// Numbers that tell a token's position, before they are pooled like the channels.
int64_t position_features(const Router& router) noexcept;

}  // namespace moefb::graph
