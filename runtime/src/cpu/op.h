// How an op of the graph becomes code: an implementation packs its weights once for a model (Op) and keeps what one
// executor needs for itself (OpState).
//
// Implementations stand in a list, fastest first, reference last (backend.cpp). One that does not know an op answers
// with a null Op.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "cpu/thread_pool.h"
#include "graph/graph.h"
#include "kernels/reference/kernels.h"
#include "moefb/result.h"

namespace moefb::cpu {

inline constexpr int kMaxInputs = 8;

/// One execution on n maps (N, H, W, C) or vectors.
struct OpCall {
  int64_t n = 0;
  const float* srcs[kMaxInputs] = {};
  float* dst = nullptr;
  int64_t expert = 0;  ///< whose weights; 0 outside expert bodies
};

class OpState {
 public:
  virtual ~OpState() = default;
  virtual Status run(const OpCall& call, ThreadPool& threads) noexcept = 0;
  /// True if several threads may be inside run() at once, each for other rows of `dst` and with a pool of its own.
  virtual bool reentrant() const noexcept { return false; }
  /// The most of `rows` rows that one thread should take in one run() when `threads` share them; reentrant ops only.
  virtual int64_t tile_rows(int64_t rows, int /*threads*/) const noexcept { return rows; }
};

class Op {
 public:
  virtual ~Op() = default;
  /// @param max_n  the largest OpCall::n
  virtual Result<std::unique_ptr<OpState>> make_state(int threads, int64_t max_n) const noexcept = 0;
};

/// What an implementation is made from; it keeps none of it.
struct OpSpec {
  const graph::Graph& graph;
  const graph::Node& node;
  std::span<const graph::Value> values;  ///< that node.inputs and node.output index
  int64_t experts = 1;
  int64_t max_n = 1;
  /// A sum to do along with a group norm (graph/joined.h): its other inputs stand behind the norm's in OpCall::srcs,
  /// and its output is written. Who cannot answers with a null Op.
  const graph::Node* sum = nullptr;

  const graph::Tensor* tensor(int index) const noexcept { return index < 0 ? nullptr : &graph.tensors[size_t(index)]; }
  graph::Extent input() const noexcept { return graph::extent(values[size_t(node.inputs[0])].shape); }
  graph::Extent output() const noexcept { return graph::extent(values[size_t(node.output)].shape); }
};

constexpr kernels::Activation to_kernel(graph::Activation activation) noexcept {
  switch (activation) {
    case graph::Activation::kNone:
      return kernels::Activation::kNone;
    case graph::Activation::kRelu:
      return kernels::Activation::kRelu;
    case graph::Activation::kSilu:
      return kernels::Activation::kSilu;
  }
  return kernels::Activation::kNone;
}

using OpFactory = Result<std::unique_ptr<Op>> (*)(const OpSpec& spec) noexcept;

Result<std::unique_ptr<Op>> make_reference_op(const OpSpec& spec) noexcept;
Result<std::unique_ptr<Op>> make_fast_op(const OpSpec& spec) noexcept;  ///< what kernels/cpu has
#if MOEFB_ONEDNN
Result<std::unique_ptr<Op>> make_onednn_op(const OpSpec& spec) noexcept;
#endif

/// `new` without exceptions: the object or kOutOfMemory.
template <typename Base, typename T, typename... Args>
Result<std::unique_ptr<Base>> make_new(Args&&... args) noexcept {
  std::unique_ptr<Base> made(new (std::nothrow) T(std::forward<Args>(args)...));
  if (made == nullptr) return Status(Code::kOutOfMemory, "no memory");
  return made;
}

}  // namespace moefb::cpu
