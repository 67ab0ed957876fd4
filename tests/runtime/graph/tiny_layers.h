// Two valid MoE layers in memory, for tests of shape inference: a sparse head on (4), a patch layer on (4, 5, 4).
#pragma once

#include <vector>

#include "graph/graph.h"

namespace moefb::graph {

struct TinyLayer {
  std::vector<Value> values;
  std::vector<Tensor> tensors;
  MoE moe;

  int tensor(Shape shape, int64_t count = 1) {
    tensors.emplace_back();
    tensors.back().shape = shape;
    tensors.back().count = count;
    return int(tensors.size()) - 1;
  }
  void body(Op op, std::vector<int> inputs, int output) {
    Node node;
    node.op = op;
    node.inputs = std::move(inputs);
    node.output = output;
    moe.bank.body.push_back(std::move(node));
  }
};

/// (4) -> 2 of 3 experts, each linear (4 -> 5), linear (5 -> 2).
inline TinyLayer tiny_head() {
  TinyLayer layer;
  layer.values = {{"", Shape{1, {4}}}};
  layer.moe.bank.experts = 3;
  Router& router = layer.moe.router;
  router.kind = RouterKind::kTopK;
  router.top_k = 2;
  router.weight = layer.tensor({2, {3, 4}});
  router.bias = layer.tensor({1, {3}});
  router.score_norm.kind = NormKind::kStandardize;
  router.score_norm.eps = 1e-5f;
  router.score_norm.unbiased = true;
  layer.moe.bank.values = {{"", Shape{1, {4}}}, {"", Shape{1, {5}}}, {"", Shape{1, {2}}}};
  layer.body(Op::kLinear, {0}, 1);
  layer.moe.bank.body[0].weight = layer.tensor({2, {5, 4}}, 3);
  layer.body(Op::kLinear, {1}, 2);
  layer.moe.bank.body[1].weight = layer.tensor({2, {2, 5}}, 3);
  return layer;
}

/// (4, 5, 4) in patches of 2 -> 1 of 3 experts, each a 3x3 convolution plus the token.
inline TinyLayer tiny_patches() {
  TinyLayer layer;
  layer.values = {{"", Shape{3, {4, 5, 4}}}};
  MoE& moe = layer.moe;
  moe.bank.experts = 3;
  moe.patch = 2;
  moe.residual = true;
  moe.gamma = layer.tensor({1, {1}});
  moe.router.kind = RouterKind::kPatchTop1;
  moe.router.pool_mean = moe.router.pool_max = moe.router.coordinates = true;
  moe.router.fourier_bands = {1, 2};
  moe.router.feature_norm.kind = NormKind::kLayerNorm;
  moe.router.feature_norm.eps = 1e-5f;
  moe.router.feature_norm.weight = layer.tensor({1, {28}});
  moe.router.feature_norm.bias = layer.tensor({1, {28}});
  moe.router.weight = layer.tensor({2, {3, 28}});
  moe.router.clamp = 10;
  moe.router.capacity_factor = 2;
  moe.router.capacity_group = CapacityGroup::kImage;
  const Shape token{3, {4, 2, 2}};
  moe.bank.values = {{"", token}, {"", token}, {"", token}};
  layer.body(Op::kConv2d, {0}, 1);
  Node& conv = moe.bank.body[0];
  conv.weight = layer.tensor({4, {4, 4, 3, 3}}, 3);
  conv.kernel_h = conv.kernel_w = 3;
  conv.padding = 1;
  layer.body(Op::kAdd, {1, 0}, 2);
  return layer;
}

}  // namespace moefb::graph
