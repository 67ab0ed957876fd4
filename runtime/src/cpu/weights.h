// Stored weights to f32.
#pragma once

#include <cstdint>

#include "buffer.h"
#include "graph/graph.h"
#include "moefb/result.h"

namespace moefb::cpu {

/// Expert e's elements as f32; `dst` holds tensor.shape.elements().
void expert_to_f32(const graph::Tensor& tensor, int64_t expert, float* dst) noexcept;

/// A small tensor (bias, norm, gate) as f32, all experts one after another.
/// @param tensor  its index; where it is below 0 there is none, and `all` stays as it is
Status load_f32(const graph::Graph& graph, int tensor, Buffer<float>& all) noexcept;

}  // namespace moefb::cpu
