#include "cpu/soft_head.h"

#include <algorithm>

#include "cpu/split.h"
#include "cpu/step.h"
#include "cpu/weights.h"
#include "kernels/reference/kernels.h"

namespace moefb::cpu {
namespace {

/// A tensor of the concatenated weights, and the memory that it points into.
struct Concatenated {
  graph::Tensor tensor;
  Buffer<float> values;

  Status allocate_shape(std::initializer_list<int64_t> shape) noexcept {
    for (const int64_t extent : shape) tensor.shape.dims[tensor.shape.rank++] = extent;
    values = allocate<float>(tensor.shape.elements());
    if (values == nullptr) return Status(Code::kOutOfMemory, "no memory for the weights of a soft head");
    tensor.data = reinterpret_cast<const std::byte*>(values.get());
    return {};
  }
};

const graph::Tensor* tensor(const graph::Graph& graph, int index) noexcept {
  return index < 0 ? nullptr : &graph.tensors[size_t(index)];
}

/// Stacked matrices or vectors one below the other: (rows of one) -> (E * rows).
Status concatenate(const graph::Tensor& stacked, Concatenated& all) noexcept {
  const Shape& one = stacked.shape;
  if (one.rank == 2) {
    MOEFB_TRY(all.allocate_shape({stacked.count * one[0], one[1]}));
  } else {
    MOEFB_TRY(all.allocate_shape({stacked.count * one[0]}));
  }
  for (int64_t e = 0; e < stacked.count; ++e) expert_to_f32(stacked, e, all.values.get() + e * one.elements());
  return {};
}

/// Stacked (C, H) matrices side by side, and behind them the biases as columns: (C, E * H + E).
Status concatenate_with_biases(const graph::Tensor& weight, const graph::Tensor* bias, Concatenated& all) noexcept {
  const int64_t E = weight.count, C = weight.shape[0], H = weight.shape[1];
  const int64_t columns = E * H + E;
  MOEFB_TRY(all.allocate_shape({C, columns}));
  const Buffer<float> one = allocate<float>(C * H), one_bias = allocate<float>(C);
  if (one == nullptr || one_bias == nullptr)
    return Status(Code::kOutOfMemory, "no memory for the weights of a soft head");
  std::fill_n(one_bias.get(), C, 0.0f);
  for (int64_t e = 0; e < E; ++e) {
    expert_to_f32(weight, e, one.get());
    if (bias != nullptr) expert_to_f32(*bias, e, one_bias.get());
    for (int64_t c = 0; c < C; ++c) {
      std::copy_n(one.get() + c * H, H, all.values.get() + c * columns + e * H);
      all.values[size_t(c * columns + E * H + e)] = one_bias[size_t(c)];
    }
  }
  return {};
}

/// An ordinary linear op from concatenated weights. @param bias  without values: none
Result<std::unique_ptr<Op>> make_linear(const Concatenated& weight, const Concatenated& bias,
                                        graph::Activation activation, int64_t max_rows,
                                        std::span<const OpFactory> factories) {
  graph::Graph graph;
  graph.tensors = {weight.tensor};
  graph.values = {{"", {1, {weight.tensor.shape[1]}}}, {"", {1, {weight.tensor.shape[0]}}}};
  graph::Node node;
  node.op = graph::Op::kLinear;
  node.inputs = {0};
  node.output = 1;
  node.weight = 0;
  if (bias.values != nullptr) {
    graph.tensors.push_back(bias.tensor);
    node.bias = 1;
  }
  node.activation = activation;
  return make_op({graph, node, graph.values, 1, max_rows}, factories);
}

}  // namespace

Result<std::unique_ptr<SoftHead>> SoftHead::make(const graph::Graph& graph, const graph::MoE& moe, int64_t max_rows,
                                                 std::span<const OpFactory> factories) noexcept {
  std::unique_ptr<SoftHead> head(new (std::nothrow) SoftHead);
  if (head == nullptr) return Status(Code::kOutOfMemory, "no memory");
  const graph::Node& first = moe.bank.body[0];
  const graph::Node& second = moe.bank.body[1];

  Concatenated w1, b1, w2;
  MOEFB_TRY(concatenate(*tensor(graph, first.weight), w1));
  if (const graph::Tensor* bias = tensor(graph, first.bias)) MOEFB_TRY(concatenate(*bias, b1));
  MOEFB_TRY(concatenate_with_biases(*tensor(graph, second.weight), tensor(graph, second.bias), w2));

  auto op = make_linear(w1, b1, first.activation, max_rows, factories);
  MOEFB_TRY(op.status());
  head->first_ = std::move(*op);
  auto last = make_linear(w2, {}, graph::Activation::kNone, max_rows, factories);
  MOEFB_TRY(last.status());
  head->second_ = std::move(*last);
  return head;
}

Result<std::unique_ptr<SoftHeadState>> SoftHeadState::make(const SoftHead& head, const plan::MoeLayout& layout,
                                                           int threads) noexcept {
  std::unique_ptr<SoftHeadState> state(new (std::nothrow) SoftHeadState(layout));
  if (state == nullptr) return Status(Code::kOutOfMemory, "no memory");
  auto first = head.first().make_state(threads, layout.sizes.T);
  MOEFB_TRY(first.status());
  state->first_ = std::move(*first);
  auto second = head.second().make_state(threads, layout.sizes.T);
  MOEFB_TRY(second.status());
  state->second_ = std::move(*second);
  return state;
}

Status SoftHeadState::run(int64_t T, const float* src, const float* probs, std::byte* arena, float* dst,
                          ThreadPool& threads) noexcept {
  const plan::MoeSizes& s = layout_.sizes;
  float* hidden = reinterpret_cast<float*>(arena + layout_.hidden);
  float* scaled = reinterpret_cast<float*>(arena + layout_.scaled);
  MOEFB_TRY(first_->run({.n = T, .srcs = {src}, .dst = hidden}, threads));
  threads.parallel_for(T, least_units(s.E * s.hidden), [&](int64_t begin, int64_t end) {
    kernels::reference::scale_by_expert(hidden, probs, s.E, s.hidden, begin, end, scaled);
  });
  return second_->run({.n = T, .srcs = {scaled}, .dst = dst}, threads);
}

}  // namespace moefb::cpu
