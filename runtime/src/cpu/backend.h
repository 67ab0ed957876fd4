// The CPU backend: a graph with its weights packed (PackedGraph, shared by executors) and made ready to run
// (GraphRunner, one each).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "cpu/moe.h"
#include "cpu/op.h"
#include "cpu/step.h"
#include "graph/graph.h"
#include "moefb/executor.h"
#include "plan/plan.h"

namespace moefb::cpu {

class PackedGraph {
 public:
  /// @param graph  outlives the PackedGraph
  /// @return kUnsupported if this build has no such kernels; kOutOfMemory; kBackend
  static Result<std::unique_ptr<PackedGraph>> make(const graph::Graph& graph, Kernels kernels,
                                                   int64_t max_batch) noexcept;

  const graph::Graph& graph() const noexcept { return *graph_; }
  /// Per stage; without an op for MoE stages, and where the stage before does this one along.
  std::span<const Step> steps() const noexcept { return steps_; }
  std::span<const std::unique_ptr<MoeOp>> moe() const noexcept { return moe_; }  ///< per MoE stage, in order

 private:
  explicit PackedGraph(const graph::Graph& graph) noexcept : graph_(&graph) {}
  Status pack(const std::vector<bool>& joined, int64_t max_batch, std::span<const OpFactory> factories) noexcept;

  const graph::Graph* graph_;
  std::vector<Step> steps_;
  std::vector<std::unique_ptr<MoeOp>> moe_;
};

class GraphRunner {
 public:
  /// @param packed, plan  outlive the runner
  static Result<std::unique_ptr<GraphRunner>> make(const PackedGraph& packed, const plan::Plan& plan,
                                                   const ExecutorOptions& options) noexcept;

  /// @param images  (n, C, H, W) or (n, D)
  /// @param logits  (n, classes)
  Status run(int64_t n, const float* images, float* logits, std::byte* arena, std::span<const int32_t> replay) noexcept;

  std::span<const std::unique_ptr<MoeState>> moe() const noexcept { return moe_; }

 private:
  GraphRunner() = default;
  Status run_step(const Step& step, OpState& state, int64_t n, std::byte* arena) noexcept;
  float* value(int index, std::byte* arena) const noexcept {
    return reinterpret_cast<float*>(arena + plan_->values[size_t(index)]);
  }

  const PackedGraph* packed_ = nullptr;
  const plan::Plan* plan_ = nullptr;
  ThreadPool threads_;
  std::vector<std::unique_ptr<OpState>> states_;  ///< per step; null where it has no op
  std::vector<std::unique_ptr<MoeState>> moe_;
};

}  // namespace moefb::cpu
