// Looks at all that a Graph from hostile bytes points to, under the sanitizers' eyes.
#pragma once

#include "graph/graph.h"

namespace moefb::testing {

/// Reads every byte of every tensor and golden vector. @return a sum that keeps the reads alive
inline uint64_t touch(const graph::Graph& graph) {
  uint64_t sum = 0;
  for (const graph::Tensor& tensor : graph.tensors) {
    const auto bytes = size_t(tensor.shape.elements()) * dtype_bytes(tensor.dtype);
    for (int64_t e = 0; e < tensor.count; ++e) {
      for (size_t i = 0; i < bytes; ++i) sum += uint64_t(tensor.expert(e)[i]);
    }
  }
  for (const GoldenVector& golden : graph.goldens) {
    for (float number : golden.input) sum += number > 0;
    for (float number : golden.logits) sum += number > 0;
    for (int32_t route : golden.routes) sum += uint64_t(int64_t(route) + 1);
  }
  return sum;
}

}  // namespace moefb::testing
