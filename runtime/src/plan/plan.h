// Where everything that run() touches lies in the arena. Integers only: computed before anything is allocated.
#pragma once

#include <cstdint>
#include <vector>

#include "graph/graph.h"
#include "moefb/executor.h"

namespace moefb::plan {

/// Sizes of one MoE layer's work. T tokens of the largest batch, K routes a token, E experts.
struct MoeSizes {
  int64_t tokens_per_image = 1;
  int64_t T = 0;
  int64_t E = 0;
  int64_t K = 0;
  int64_t features = 0;  ///< that the router sees of one token
  int64_t token_elements = 0;
  int64_t out_elements = 0;  ///< of one token's answer
  int64_t hidden = 0;        ///< of one expert of a soft head that runs as two products; else 0
};
MoeSizes moe_sizes(const graph::MoE& moe, const std::vector<graph::Value>& values, int64_t images) noexcept;

/// Arena offsets of one MoE layer's work, in bytes.
struct MoeLayout {
  MoeSizes sizes;
  int64_t features = 0;     ///< (T, features) f32
  int64_t gate_logits = 0;  ///< (T, E) f32
  int64_t scores = 0;       ///< (T, E) f32: standardised, or over the temperature and clamped
  int64_t probs = 0;        ///< (T, E) f32
  int64_t chosen = 0;       ///< (T, K) i32 experts, -1 where dropped
  int64_t weight = 0;       ///< (T, K) f32 of the combination
  int64_t gate = 0;         ///< (T) f32 confidence of the first choice
  int64_t slot = 0;         ///< (T) i32
  int64_t order = 0;        ///< (T * K) i32 routes sorted by expert
  int64_t position = 0;     ///< (T * K) i32 where a route went in `order`
  int64_t offsets = 0;      ///< (E + 1) i32

  // The experts' work: body and answers, or, of a soft head that runs as two products, hidden and scaled.
  int64_t answers = 0;  ///< (rows, out_elements) f32 of the experts
  /// Per value of the expert's body: (rows, elements) f32; the last node's output is written to `answers`. Rows are the
  /// T * K routes under kGrouped, else the T tokens.
  std::vector<int64_t> body;
  bool two_products = false;
  int64_t hidden = 0;  ///< (T, E * hidden) f32
  int64_t scaled = 0;  ///< (T, E * hidden + E) f32
};

/// True for a soft head whose experts are two linear layers: then all of them together are two matrix products
/// (cpu/soft_head.h), which is what kGrouped means where every token goes to every expert.
bool is_two_products(const graph::MoE& moe) noexcept;

struct Plan {
  int64_t max_batch = 1;
  std::vector<int64_t> values;  ///< arena offset of each value: (max_batch, elements) f32
  std::vector<MoeLayout> moe;   ///< one per MoE stage, in order
  int64_t arena_bytes = 0;
};

/// Lays out a graph for batches of up to max_batch. What `trace` keeps stays untouched until the next run.
Plan make_plan(const graph::Graph& graph, int64_t max_batch, Trace trace, Dispatch dispatch);

}  // namespace moefb::plan
