#include "cpu/backend.h"

#include <algorithm>

#include "cpu/split.h"
#include "graph/joined.h"
#include "kernels/reference/kernels.h"
#if MOEFB_ONEDNN
#include "cpu/onednn.h"
#endif

namespace moefb::cpu {
namespace {

constexpr OpFactory kReferenceOnly[] = {make_reference_op};
#if MOEFB_ONEDNN
constexpr OpFactory kFastestFirst[] = {make_onednn_op, make_fast_op, make_reference_op};
#else
constexpr OpFactory kFastestFirst[] = {make_fast_op, make_reference_op};
#endif

Result<std::span<const OpFactory>> implementations(Kernels kernels) noexcept {
  switch (kernels) {
    case Kernels::kAuto:
      return std::span<const OpFactory>(kFastestFirst);
    case Kernels::kReference:
      return std::span<const OpFactory>(kReferenceOnly);
    case Kernels::kOnednn:
#if MOEFB_ONEDNN
      return std::span<const OpFactory>(kFastestFirst);
#else
      return Status(Code::kUnsupported, "this build has no oneDNN: use kernels auto or reference");
#endif
  }
  return Status(Code::kInvalidArgument, "unknown kernels").at(int64_t(kernels));
}

}  // namespace

Result<std::unique_ptr<PackedGraph>> PackedGraph::make(const graph::Graph& graph, Kernels kernels,
                                                       int64_t max_batch) noexcept {
  auto factories = implementations(kernels);
  MOEFB_TRY(factories.status());
  std::unique_ptr<PackedGraph> packed(new (std::nothrow) PackedGraph(graph));
  if (packed == nullptr) return Status(Code::kOutOfMemory, "no memory");
  MOEFB_TRY(packed->pack(graph::joined_with_next(graph), max_batch, *factories));
  return packed;
}

Status PackedGraph::pack(const std::vector<bool>& joined, int64_t max_batch,
                         std::span<const OpFactory> factories) noexcept {
  const std::vector<graph::Stage>& stages = graph_->stages;
  steps_.resize(stages.size());
  for (size_t s = 0; s < stages.size(); ++s) {
    if (stages[s].is_moe) {
      auto moe = MoeOp::make(*graph_, stages[s].moe, max_batch, factories);
      MOEFB_TRY(moe.status());
      moe_.push_back(std::move(*moe));
      continue;
    }
    const graph::Node* sum = joined[s] ? &stages[s + 1].node : nullptr;
    auto step = make_step({*graph_, stages[s].node, graph_->values, 1, max_batch, sum}, factories);
    MOEFB_TRY(step.status());
    steps_[s] = std::move(*step);
    s += size_t(steps_[s].nodes - 1);
  }
  return {};
}

Result<std::unique_ptr<GraphRunner>> GraphRunner::make(const PackedGraph& packed, const plan::Plan& plan,
                                                       const ExecutorOptions& options) noexcept {
  std::unique_ptr<GraphRunner> runner(new (std::nothrow) GraphRunner);
  if (runner == nullptr) return Status(Code::kOutOfMemory, "no memory");
  runner->packed_ = &packed;
  runner->plan_ = &plan;
  MOEFB_TRY(runner->threads_.start(options.threads, options.host_threads));
  const int threads = runner->threads_.threads();
  for (const Step& step : packed.steps()) {
    runner->states_.emplace_back();
    if (step.op == nullptr) continue;
    auto state = step.op->make_state(threads, plan.max_batch);
    MOEFB_TRY(state.status());
    runner->states_.back() = std::move(*state);
  }
  for (size_t m = 0; m < packed.moe().size(); ++m) {
    auto state = MoeState::make(*packed.moe()[m], plan.moe[m], options, threads);
    MOEFB_TRY(state.status());
    runner->moe_.push_back(std::move(*state));
  }
  return runner;
}

Status GraphRunner::run_step(const Step& step, OpState& state, int64_t n, std::byte* arena) noexcept {
  OpCall call;
  call.n = n;
  for (size_t k = 0; k < step.inputs.size(); ++k) call.srcs[k] = value(step.inputs[k], arena);
  call.dst = value(step.output, arena);
  return state.run(call, threads_);
}

Status GraphRunner::run(int64_t n, const float* images, float* logits, std::byte* arena,
                        std::span<const int32_t> replay) noexcept {
  const graph::Graph& graph = packed_->graph();
  const graph::Extent in = graph::extent(graph.values[size_t(graph.input)].shape);
  float* input = value(graph.input, arena);
  threads_.parallel_for(n, least_units(in.elements()), [&](int64_t begin, int64_t end) {
    kernels::reference::to_channels_last(images, in.c, in.h * in.w, begin, end, input);
  });

  size_t moe_index = 0, routes_read = 0;
  for (size_t s = 0; s < graph.stages.size(); ++s) {
    const graph::Stage& stage = graph.stages[s];
    if (!stage.is_moe) {
      if (states_[s] != nullptr) MOEFB_TRY(run_step(packed_->steps()[s], *states_[s], n, arena));
      continue;
    }
    MoeState& moe = *moe_[moe_index++];
    const int32_t* given = nullptr;
    if (!replay.empty() && stage.moe.router.kind != graph::RouterKind::kSoft) {
      given = replay.data() + routes_read;
      routes_read += size_t(n * moe.op().tokens().per_image() * stage.moe.router.top_k);
    }
    MOEFB_TRY(moe.run(n, value(stage.moe.input, arena), value(stage.moe.output, arena), arena, given, threads_));
  }
  std::copy_n(value(graph.output, arena), n * graph.values[size_t(graph.output)].shape.elements(), logits);
  return {};
}

}  // namespace moefb::cpu
