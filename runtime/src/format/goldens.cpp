#include "format/goldens.h"

#include <cmath>

#include "format/fields.h"
#include "graph/shapes.h"

namespace moefb::format {
namespace {

constexpr size_t kMaxGoldens = 64;
constexpr int kMaxBatch = 1 << 16;

/// The elements of a golden tensor, which must have `shape` and `dtype`.
template <typename T>
Status read_array(const fb::Tensor* raw, Dtype dtype, const Shape& shape, TensorReader& tensors,
                  std::span<const T>& out) {
  if (raw == nullptr) return corrupt("a golden vector lacks its input, logits or routes");
  graph::Tensor tensor;
  MOEFB_TRY(tensors.read(*raw, fb::SegmentKind::golden, tensor));
  if (tensor.dtype != dtype || tensor.count != 1) return corrupt("a golden tensor has another dtype or is stacked");
  if (!(tensor.shape == shape)) return corrupt("a golden tensor has another shape than the model gives");
  out = {reinterpret_cast<const T*>(tensor.data), size_t(shape.elements())};
  return {};
}

Shape with_batch(int batch, const Shape& one) noexcept {
  Shape shape{one.rank + 1, {batch}};
  for (int i = 0; i < one.rank; ++i) shape.dims[i + 1] = one[i];
  return shape;
}

int64_t layer_tokens(const graph::Graph& graph, const graph::MoE& moe, int batch) noexcept {
  const graph::Extent input = graph::extent(graph.values[size_t(moe.input)].shape);
  return batch * graph::token_grid(input, moe.patch).per_image();
}

/// Soft layers send every token to every expert: there is nothing to store.
bool chooses(const graph::Stage& stage) noexcept {
  return stage.is_moe && stage.moe.router.kind != graph::RouterKind::kSoft;
}

/// Routes of all layers that choose, each (tokens, K). Divided, not multiplied, until a product is known to be small.
Status count_routes(const graph::Graph& graph, int batch, int64_t& total) noexcept {
  total = 0;
  for (const graph::Stage& stage : graph.stages) {
    if (!chooses(stage)) continue;
    const int64_t tokens = layer_tokens(graph, stage.moe, batch), K = stage.moe.router.top_k;
    if (tokens > (graph::kMaxElements - total) / K) return corrupt("a golden vector has too many routes");
    total += tokens * K;
  }
  return {};
}

Status check_routes(std::span<const int32_t> routes, int experts) noexcept {
  for (size_t i = 0; i < routes.size(); ++i) {
    if (routes[i] < -1 || routes[i] >= experts) {
      return corrupt("a golden route names no expert").values(routes[i], experts - 1);
    }
  }
  return {};
}

/// All layers' routes stand in one array, layer after layer.
Status read_routes(const fb::Golden& raw, const graph::Graph& graph, TensorReader& tensors, GoldenVector& golden) {
  int64_t total = 0;
  MOEFB_TRY(count_routes(graph, golden.batch, total));
  if (total == 0) {
    return raw.routes() == nullptr ? Status() : corrupt("a golden vector has routes, but no layer chooses experts");
  }
  MOEFB_TRY(read_array(raw.routes(), Dtype::kI32, Shape{1, {total}}, tensors, golden.routes));
  size_t begin = 0;
  for (const graph::Stage& stage : graph.stages) {
    if (!chooses(stage)) continue;
    const auto count = size_t(layer_tokens(graph, stage.moe, golden.batch) * stage.moe.router.top_k);
    MOEFB_TRY(check_routes(golden.routes.subspan(begin, count), stage.moe.bank.experts));
    begin += count;
  }
  return {};
}

Status read_origin(const fb::Golden& raw, GoldenVector& golden) noexcept {
  const auto origin = static_cast<uint8_t>(raw.origin());
  if (origin > static_cast<uint8_t>(fb::GoldenOrigin::trainer)) return corrupt("a golden vector's origin is unknown");
  golden.from_trainer = raw.origin() == fb::GoldenOrigin::trainer;
  golden.seed = raw.seed();
  golden.top1_margin = raw.top1_margin();
  golden.capacity_margin = raw.capacity_margin();
  if (!std::isfinite(golden.top1_margin) || !std::isfinite(golden.capacity_margin)) {
    return corrupt("a golden vector's margin is not finite");
  }
  return read_enum<CapacityGroup::kNone>(raw.capacity_group(), "a capacity group is unknown", golden.capacity_group);
}

Status read_golden(const fb::Golden& raw, const graph::Graph& graph, TensorReader& tensors, GoldenVector& golden) {
  MOEFB_TRY(read_number(raw.batch(), kMaxBatch, "a golden vector's batch is too large", golden.batch));
  if (golden.batch == 0) return corrupt("a golden vector has no images");
  MOEFB_TRY(read_origin(raw, golden));
  const Shape& input = graph.values[size_t(graph.input)].shape;
  const Shape& output = graph.values[size_t(graph.output)].shape;
  MOEFB_TRY(read_array(raw.input(), Dtype::kF32, with_batch(golden.batch, input), tensors, golden.input));
  MOEFB_TRY(read_array(raw.logits(), Dtype::kF32, with_batch(golden.batch, output), tensors, golden.logits));
  return read_routes(raw, graph, tensors, golden);
}

}  // namespace

Status read_goldens(const fb::Model& model, TensorReader& tensors, graph::Graph& graph) {
  if (count(model.goldens()) > kMaxGoldens) {
    return corrupt("too many golden vectors").values(int64_t(count(model.goldens())), int64_t(kMaxGoldens));
  }
  graph.goldens.resize(count(model.goldens()));
  for (size_t i = 0; i < graph.goldens.size(); ++i) {
    const Status s = read_golden(*model.goldens()->Get(uint32_t(i)), graph, tensors, graph.goldens[i]);
    if (!s.ok()) return s.at(int64_t(i));
  }
  return {};
}

}  // namespace moefb::format
