#include "trace.h"

#include <cstring>

#include "kernels/reference/kernels.h"

namespace moefb {
namespace {

void list_moe(const graph::MoE& moe, size_t index, std::vector<TraceEntry>& list) {
  const std::string prefix = moe.published_layer < 0 ? "" : "layer" + std::to_string(moe.published_layer) + ".";
  const auto add = [&](const char* name, TraceKind kind) { list.push_back({prefix + name, kind, index}); };
  add("gate_logits", TraceKind::kGateLogits);
  add("probs", TraceKind::kProbs);
  switch (moe.router.kind) {
    case graph::RouterKind::kSoft:
      break;
    case graph::RouterKind::kTopK:
      add("gate_scores", TraceKind::kScores);
      add("topk_idx", TraceKind::kTopK);
      break;
    case graph::RouterKind::kPatchTop1:
      add("scaled_logits", TraceKind::kScores);
      add("kept", TraceKind::kKept);
      add("assigned_expert", TraceKind::kAssigned);
      add("slot", TraceKind::kSlot);
      add("combine_weight", TraceKind::kWeight);
      add("capacity", TraceKind::kCapacity);
      add("tokens_per_expert", TraceKind::kTokens);
      break;
  }
}

Shape shape_of(std::initializer_list<int64_t> dims) noexcept {
  Shape shape;
  for (int64_t d : dims) shape.dims[shape.rank++] = d;
  return shape;
}

TraceInfo map_info(const TraceEntry& entry, const TraceSource& source) noexcept {
  const Shape& value = source.graph.values[entry.index].shape;
  Shape shape = shape_of({source.n});
  for (int i = 0; i < value.rank; ++i) shape.dims[shape.rank++] = value[i];
  return {entry.name.c_str(), Dtype::kF32, shape};
}

void put(std::byte*& dst, int64_t value) noexcept {
  std::memcpy(dst, &value, sizeof value);
  dst += sizeof value;
}

void widen(const int32_t* src, int64_t count, std::byte* dst) noexcept {
  for (int64_t i = 0; i < count; ++i) put(dst, src[i]);
}

/// Kept tokens of each expert.
void count_tokens(const int32_t* chosen, int64_t T, int64_t E, std::byte* dst) noexcept {
  for (int64_t e = 0; e < E; ++e) {
    int64_t count = 0;
    for (int64_t t = 0; t < T; ++t) count += chosen[t] == e;
    put(dst, count);
  }
}

}  // namespace

std::vector<TraceEntry> list_trace(const graph::Graph& graph, Trace level) {
  std::vector<TraceEntry> list;
  if (level == Trace::kOff) return list;
  size_t moe_index = 0;
  for (const graph::Stage& stage : graph.stages) {
    if (stage.is_moe) list_moe(stage.moe, moe_index++, list);
  }
  if (level != Trace::kAll) return list;
  for (size_t v = 0; v < graph.values.size(); ++v) {
    const bool shown = !graph.values[v].name.empty() && int(v) != graph.output && int(v) != graph.input;
    if (shown) list.push_back({graph.values[v].name, TraceKind::kMap, v});
  }
  return list;
}

TraceInfo trace_info(const TraceEntry& entry, const TraceSource& source) noexcept {
  if (entry.kind == TraceKind::kMap) return map_info(entry, source);
  const plan::MoeSizes& s = source.plan.moe[entry.index].sizes;
  const int64_t T = source.n * s.tokens_per_image;
  const char* name = entry.name.c_str();
  switch (entry.kind) {
    case TraceKind::kGateLogits:
    case TraceKind::kScores:
    case TraceKind::kProbs:
      return {name, Dtype::kF32, shape_of({T, s.E})};
    case TraceKind::kTopK:
      return {name, Dtype::kI64, shape_of({T, s.K})};
    case TraceKind::kKept:
      return {name, Dtype::kU8, shape_of({T})};
    case TraceKind::kAssigned:
    case TraceKind::kSlot:
      return {name, Dtype::kI64, shape_of({T})};
    case TraceKind::kWeight:
      return {name, Dtype::kF32, shape_of({T})};
    case TraceKind::kCapacity:
      return {name, Dtype::kI64, Shape{}};
    case TraceKind::kTokens:
      return {name, Dtype::kI64, shape_of({s.E})};
    case TraceKind::kMap:
      break;
  }
  return {};
}

void read_trace(const TraceEntry& entry, const TraceSource& source, std::byte* dst) noexcept {
  if (entry.kind == TraceKind::kMap) {
    const graph::Extent e = graph::extent(source.graph.values[entry.index].shape);
    const auto* map = reinterpret_cast<const float*>(source.arena + source.plan.values[entry.index]);
    kernels::reference::to_channels_first(map, e.c, e.h * e.w, 0, source.n, reinterpret_cast<float*>(dst));
    return;
  }
  const plan::MoeLayout& layout = source.plan.moe[entry.index];
  const plan::MoeSizes& s = layout.sizes;
  const cpu::MoeArrays a = cpu::arrays(layout, source.arena);
  const int64_t T = source.n * s.tokens_per_image;
  const auto copy = [dst](const float* src, int64_t count) { std::memcpy(dst, src, size_t(count) * sizeof(float)); };
  switch (entry.kind) {
    case TraceKind::kGateLogits:
      copy(a.gate_logits, T * s.E);
      break;
    case TraceKind::kScores:
      copy(a.scores, T * s.E);
      break;
    case TraceKind::kProbs:
      copy(a.probs, T * s.E);
      break;
    case TraceKind::kTopK:
      widen(a.chosen, T * s.K, dst);
      break;
    case TraceKind::kAssigned:
      widen(a.chosen, T, dst);
      break;
    case TraceKind::kSlot:
      widen(a.slot, T, dst);
      break;
    case TraceKind::kWeight:
      copy(a.weight, T);
      break;
    case TraceKind::kTokens:
      count_tokens(a.chosen, T, s.E, dst);
      break;
    case TraceKind::kCapacity:
      put(dst, source.moe[entry.index]->capacity(source.n));
      break;
    case TraceKind::kKept:
      for (int64_t t = 0; t < T; ++t) dst[t] = std::byte(a.chosen[t] >= 0);
      break;
    case TraceKind::kMap:
      break;
  }
}

}  // namespace moefb
