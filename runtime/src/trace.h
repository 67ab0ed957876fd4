// What a run leaves behind for reading: names, shapes and conversions of traced tensors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "cpu/moe.h"
#include "graph/graph.h"
#include "moefb/executor.h"
#include "plan/plan.h"

namespace moefb {

enum class TraceKind : uint8_t {
  kMap,
  kGateLogits,
  kScores,
  kProbs,
  kTopK,
  kKept,
  kAssigned,
  kSlot,
  kWeight,
  kCapacity,
  kTokens
};

struct TraceEntry {
  std::string name;
  TraceKind kind;
  size_t index;  ///< kMap: the value; else the MoE layer
};

/// The tensors that a trace level shows, under the names of design.md, section 9.
std::vector<TraceEntry> list_trace(const graph::Graph& graph, Trace level);

/// Where the last run left its data.
struct TraceSource {
  const graph::Graph& graph;
  const plan::Plan& plan;
  std::span<const std::unique_ptr<cpu::MoeState>> moe;
  std::byte* arena;
  int64_t n;  ///< images of the last run
};

TraceInfo trace_info(const TraceEntry& entry, const TraceSource& source) noexcept;
/// `dst` has exactly the bytes that trace_info() says.
void read_trace(const TraceEntry& entry, const TraceSource& source, std::byte* dst) noexcept;

}  // namespace moefb
