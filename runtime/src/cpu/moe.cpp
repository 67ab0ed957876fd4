#include "cpu/moe.h"

#include <algorithm>

#include "cpu/dispatch.h"
#include "cpu/weights.h"
#include "graph/joined.h"

namespace moefb::cpu {

namespace {

/// Of one row: every weight once for every output pixel.
int64_t products(const graph::Graph& graph, const graph::MoE& moe, const graph::Node& node) noexcept {
  if (node.op != graph::Op::kConv2d && node.op != graph::Op::kLinear) return 0;
  const graph::Extent out = graph::extent(moe.bank.values[size_t(node.output)].shape);
  return graph.tensors[size_t(node.weight)].shape.elements() * out.h * out.w;
}

}  // namespace

Result<std::unique_ptr<MoeOp>> MoeOp::make(const graph::Graph& graph, const graph::MoE& moe, int64_t max_batch,
                                           std::span<const OpFactory> factories) noexcept {
  std::unique_ptr<MoeOp> op(new (std::nothrow) MoeOp(moe, graph::extent(graph.values[size_t(moe.input)].shape)));
  if (op == nullptr) return Status(Code::kOutOfMemory, "no memory");
  MOEFB_TRY(op->pack_router(graph));
  if (moe.gamma >= 0) expert_to_f32(graph.tensors[size_t(moe.gamma)], 0, &op->gamma_);
  const int64_t max_rows = max_batch * op->tokens_.per_image();
  MOEFB_TRY(op->pack_body(graph, max_rows, factories));
  if (plan::is_two_products(moe)) {
    auto made = SoftHead::make(graph, moe, max_rows, factories);
    MOEFB_TRY(made.status());
    op->soft_head_ = std::move(*made);
  }
  return op;
}

Status MoeOp::pack_body(const graph::Graph& graph, int64_t max_rows, std::span<const OpFactory> factories) noexcept {
  const graph::ExpertBank& bank = moe_->bank;
  const std::vector<bool> joined = graph::joined_with_next(bank);
  for (size_t i = 0; i < bank.body.size(); i += size_t(body_.back().nodes)) {
    const graph::Node* sum = joined[i] ? &bank.body[i + 1] : nullptr;
    auto step = make_step({graph, bank.body[i], bank.values, bank.experts, max_rows, sum}, factories);
    MOEFB_TRY(step.status());
    body_.push_back(std::move(*step));
  }
  for (const graph::Node& node : bank.body) row_products_ += products(graph, *moe_, node);
  return {};
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
  const plan::MoeSizes& sizes = layout.sizes;
  state->expert_rows_ = allocate<int64_t>(sizes.E);
  state->tiles_ = allocate<kernels::routing::Tile>(kernels::routing::max_tiles(sizes.T * sizes.K, sizes.E, 1));
  if (state->expert_rows_ == nullptr || state->tiles_ == nullptr) return Status(Code::kOutOfMemory, "no memory");
  std::fill_n(state->expert_rows_.get(), sizes.E, int64_t{0});
  MOEFB_TRY(state->slots_.make(threads));
  MOEFB_TRY(state->make_experts(threads));
  return state;
}

Status MoeState::make_experts(int threads) noexcept {
  if (layout_->two_products) {
    auto made = SoftHeadState::make(*op_->soft_head(), *layout_, threads);
    MOEFB_TRY(made.status());
    soft_head_ = std::move(*made);
    return {};
  }
  for (const Step& step : op_->body()) {
    auto made = step.op->make_state(threads, layout_->sizes.T);
    MOEFB_TRY(made.status());
    reentrant_ = reentrant_ && (*made)->reentrant();
    body_.push_back(std::move(*made));
  }
  return {};
}

int64_t MoeState::capacity(int64_t n) const noexcept {
  return group_capacity(*op_, capacity_group_, n);
}

Status MoeState::run(int64_t n, const float* src, float* dst, std::byte* arena, const int32_t* replay,
                     ThreadPool& threads) noexcept {
  const MoeArrays a = arrays(*layout_, arena);
  route(*op_, capacity_group_, n, src, replay, a, threads);
  if (soft_head_ != nullptr) {
    std::fill_n(expert_rows_.get(), layout_->sizes.E, n);  // an image is one token
    return soft_head_->run(n, src, a.probs, arena, dst, threads);
  }
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
