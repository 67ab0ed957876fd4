#include "cpu/moe.h"

#include <algorithm>

#include "cpu/backend.h"
#include "cpu/dispatch.h"
#include "cpu/weights.h"

namespace moefb::cpu {

Result<std::unique_ptr<MoeOp>> MoeOp::make(const graph::Graph& graph, const graph::MoE& moe, int64_t max_batch,
                                           std::span<const OpFactory> factories) noexcept {
  std::unique_ptr<MoeOp> op(new (std::nothrow) MoeOp(moe, graph::extent(graph.values[size_t(moe.input)].shape)));
  if (op == nullptr) return Status(Code::kOutOfMemory, "no memory");
  MOEFB_TRY(op->pack_router(graph));
  if (moe.gamma >= 0) expert_to_f32(graph.tensors[size_t(moe.gamma)], 0, &op->gamma_);
  const int64_t max_rows = max_batch * op->tokens_.per_image();
  for (const graph::Node& node : moe.bank.body) {
    auto made = make_op({graph, node, moe.bank.values, moe.bank.experts, max_rows}, factories);
    MOEFB_TRY(made.status());
    op->body_.push_back(std::move(*made));
  }
  return op;
}

MoeArrays arrays(const plan::MoeLayout& layout, std::byte* arena) noexcept {
  const auto f32 = [arena](int64_t offset) { return reinterpret_cast<float*>(arena + offset); };
  const auto i32 = [arena](int64_t offset) { return reinterpret_cast<int32_t*>(arena + offset); };
  return {f32(layout.features), f32(layout.gate_logits), f32(layout.scores),  f32(layout.probs),
          i32(layout.chosen),   f32(layout.weight),      f32(layout.gate),    i32(layout.slot),
          i32(layout.order),    i32(layout.position),    i32(layout.offsets), f32(layout.answers)};
}

Result<std::unique_ptr<MoeState>> MoeState::make(const MoeOp& op, const plan::MoeLayout& layout,
                                                 const ExecutorOptions& options, int threads) noexcept {
  std::unique_ptr<MoeState> state(new (std::nothrow) MoeState);
  if (state == nullptr) return Status(Code::kOutOfMemory, "no memory");
  state->op_ = &op;
  state->layout_ = &layout;
  state->dispatch_ = options.dispatch;
  state->capacity_group_ = options.capacity_group.value_or(op.moe().router.capacity_group);
  state->expert_rows_ = allocate<int64_t>(layout.sizes.E);
  if (state->expert_rows_ == nullptr) return Status(Code::kOutOfMemory, "no memory");
  std::fill_n(state->expert_rows_.get(), layout.sizes.E, int64_t{0});
  for (const std::unique_ptr<Op>& node : op.body()) {
    auto made = node->make_state(threads, layout.sizes.T);
    MOEFB_TRY(made.status());
    state->body_.push_back(std::move(*made));
  }
  return state;
}

int64_t MoeState::capacity(int64_t n) const noexcept {
  return group_capacity(*op_, capacity_group_, n);
}

Status MoeState::run(int64_t n, const float* src, float* dst, std::byte* arena, const int32_t* replay,
                     ThreadPool& threads) noexcept {
  const MoeArrays a = arrays(*layout_, arena);
  route(*op_, capacity_group_, n, src, replay, a, threads);
  Dispatcher dispatcher(*this, n, src, dst, arena, a, threads);
  switch (dispatch_) {
    case Dispatch::kGrouped:
      return dispatcher.grouped();
    case Dispatch::kNaive:
      return dispatcher.naive();
    case Dispatch::kAll:
      return dispatcher.all();
  }
  return Status(Code::kInvalidArgument, "unknown dispatch");
}

}  // namespace moefb::cpu
