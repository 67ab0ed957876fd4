// Linear layers made by hand, for tests of single ops.
#pragma once

#include <cstdint>
#include <deque>
#include <random>
#include <vector>

#include "cpu/op.h"
#include "graph/graph.h"

namespace moefb::cpu::test {

inline std::vector<float> random_values(int64_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(static_cast<size_t>(count));
  for (float& v : values) v = normal(random);
  return values;
}

/// A graph that holds only tensors, with the values that they point to.
class TensorGraph {
 public:
  /// One tensor of random values for each of `experts`. @return its index
  int add(const Shape& shape, int64_t experts, uint32_t seed) {
    values_.push_back(random_values(shape.elements() * experts, seed));
    graph::Tensor tensor;
    tensor.shape = shape;
    tensor.count = experts;
    tensor.stride = experts == 1 ? 0 : shape.elements() * int64_t{sizeof(float)};
    tensor.data = reinterpret_cast<const std::byte*>(values_.back().data());
    graph_.tensors.push_back(tensor);
    return static_cast<int>(graph_.tensors.size()) - 1;
  }
  /// Expert e's values of a tensor.
  const float* values(int tensor, int64_t e) const {
    const graph::Tensor& t = graph_.tensors[static_cast<size_t>(tensor)];
    return reinterpret_cast<const float*>(t.expert(e));
  }
  graph::Graph& graph() { return graph_; }

 private:
  std::deque<std::vector<float>> values_;  ///< never moved
  graph::Graph graph_;
};

/// (O, I) of a linear layer.
inline Shape matrix(int64_t rows, int64_t columns) {
  return {2, {rows, columns}};
}
inline Shape vector(int64_t elements) {
  return {1, {elements}};
}

}  // namespace moefb::cpu::test
