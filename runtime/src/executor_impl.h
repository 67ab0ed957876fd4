// What an Executor holds; executor.cpp runs it, inspect.cpp looks into it.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "buffer.h"
#include "cpu/backend.h"
#include "model_state.h"
#include "moefb/executor.h"
#include "plan/plan.h"
#include "trace.h"

namespace moefb {

struct Executor::Impl {
  explicit Impl(const Model& m, const ExecutorOptions& o) : model(m), options(o) {}

  Model model;
  ExecutorOptions options;
  plan::Plan plan;
  Buffer<std::byte> memory;  ///< empty if the caller brought the arena
  std::byte* arena = nullptr;
  std::unique_ptr<cpu::GraphRunner> runner;
  std::vector<TraceEntry> trace;
  int64_t last_n = 0;  ///< images of the last successful run
  std::atomic<bool> busy{false};

  const graph::Graph& graph() const noexcept { return *model.state().graph; }
  TraceSource trace_source() const noexcept { return {graph(), plan, runner->moe(), arena, last_n}; }
};

}  // namespace moefb
