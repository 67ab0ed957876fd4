#include "moefb/executor.h"

#include <algorithm>

#include "executor_impl.h"
#include "format/finite.h"
#include "kernels/routing.h"
#include "moefb/inspect.h"
#include "plan/arena.h"

namespace moefb {
namespace {

constexpr int kMaxThreads = 1024;
constexpr int64_t kMaxArenaBytes = int64_t{1} << 46;

Status check_options(const ExecutorOptions& options) noexcept {
  const bool host = options.host_threads.parallel_for != nullptr;
  const int threads = host ? options.host_threads.threads : options.threads;
  if (threads < 1 || threads > kMaxThreads)
    return Status(Code::kInvalidArgument, "threads must be 1 to 1024").values(threads, kMaxThreads);
  if (options.dispatch > Dispatch::kAll) return Status(Code::kInvalidArgument, "unknown dispatch");
  if (options.trace > Trace::kAll) return Status(Code::kInvalidArgument, "unknown trace level");
  if (options.capacity_group && *options.capacity_group > CapacityGroup::kNone) {
    return Status(Code::kInvalidArgument, "unknown capacity group");
  }
  return {};
}

/// The plan of a model, refused if it cannot be meant: counts that do not fit i32 routes, an arena beyond any machine.
Result<plan::Plan> plan_for(const Model& model, const ExecutorOptions& options) noexcept {
  MOEFB_TRY(check_options(options));
  const graph::Graph& graph = *model.state().graph;
  plan::Plan plan = plan::make_plan(graph, model.options().max_batch, options.trace, options.dispatch);
  for (const plan::MoeLayout& layout : plan.moe) {
    int64_t routes = 0;
    if (__builtin_mul_overflow(layout.sizes.T, layout.sizes.K, &routes) || routes > INT32_MAX) {
      return Status(Code::kUnsupported, "too many tokens in a batch: lower max_batch").values(routes, INT32_MAX);
    }
  }
  if (plan.arena_bytes >= kMaxArenaBytes)
    return Status(Code::kOutOfMemory, "the arena would be larger than any machine").at(plan.arena_bytes);
  return plan;
}

/// Marks an Executor as in use for one scope.
class BusyGuard {
 public:
  explicit BusyGuard(std::atomic<bool>& busy) noexcept
      : busy_(busy), entered_(!busy.exchange(true, std::memory_order_acquire)) {}
  BusyGuard(const BusyGuard&) = delete;
  BusyGuard& operator=(const BusyGuard&) = delete;
  ~BusyGuard() {
    if (entered_) busy_.store(false, std::memory_order_release);
  }
  bool entered() const noexcept { return entered_; }

 private:
  std::atomic<bool>& busy_;
  bool entered_;
};

Status check_finite(std::span<const float> images) noexcept {
  const auto* bytes = reinterpret_cast<const std::byte*>(images.data());
  const int64_t bad = format::first_not_finite(bytes, Dtype::kF32, int64_t(images.size()));
  if (bad < 0) return {};
  return Status(Code::kInvalidArgument, "an input element is not finite").at(bad);
}

/// One token's experts: in range, and each at most once, since an expert has room for every token once.
bool are_routes(std::span<const int32_t> chosen, const graph::MoE& moe) noexcept {
  const bool may_drop = moe.router.kind == graph::RouterKind::kPatchTop1;
  for (size_t k = 0; k < chosen.size(); ++k) {
    const int32_t e = chosen[k];
    if (e < (may_drop ? -1 : 0) || e >= moe.bank.experts) return false;
    if (std::find(chosen.begin(), chosen.begin() + std::ptrdiff_t(k), e) != chosen.begin() + std::ptrdiff_t(k))
      return false;
  }
  return true;
}

/// @param routes  as ExecutorOptions::replay_routes, for n images
Status check_replay(const Model& model, int64_t n, std::span<const int32_t> routes) noexcept {
  const int64_t expected = route_count(model, int(n));
  if (int64_t(routes.size()) != expected) {
    return Status(Code::kInvalidArgument, "replay_routes do not fit the batch")
        .values(int64_t(routes.size()), expected);
  }
  size_t at = 0;
  for (const graph::Stage& stage : model.state().graph->stages) {
    if (!stage.is_moe || stage.moe.router.kind == graph::RouterKind::kSoft) continue;
    const auto K = size_t(stage.moe.router.top_k);
    const graph::Extent input = graph::extent(model.state().graph->values[size_t(stage.moe.input)].shape);
    const int64_t tokens = n * graph::token_grid(input, stage.moe.patch).per_image();
    for (int64_t t = 0; t < tokens; ++t, at += K) {
      if (are_routes(routes.subspan(at, K), stage.moe)) continue;
      return Status(Code::kInvalidArgument, "a token of replay_routes has an expert twice or one out of range")
          .at(int64_t(at));
    }
  }
  return {};
}

/// n, after checking that both spans have its size.
Result<int64_t> batch_of(const Model& model, std::span<const float> images, std::span<float> logits) noexcept {
  const int64_t elements = model.input_shape().elements(), classes = model.classes();
  const int64_t n = int64_t(images.size()) / elements;
  if (n < 1 || int64_t(images.size()) % elements != 0) {
    return Status(Code::kInvalidArgument, "the input's size is no whole number of images")
        .values(int64_t(images.size()), elements);
  }
  if (n > model.options().max_batch) {
    return Status(Code::kInvalidArgument, "the batch is larger than max_batch").values(n, model.options().max_batch);
  }
  if (int64_t(logits.size()) != n * classes) {
    return Status(Code::kInvalidArgument, "the logits' size does not fit the batch")
        .values(int64_t(logits.size()), n * classes);
  }
  return n;
}

}  // namespace

Result<Requirements> requirements(const Model& model, const ExecutorOptions& options) noexcept {
  auto plan = plan_for(model, options);
  MOEFB_TRY(plan.status());
  return Requirements{size_t(plan->arena_bytes), size_t(plan::kAlignment)};
}

Result<Executor> Executor::create(const Model& model, const ExecutorOptions& options) noexcept {
  auto plan = plan_for(model, options);
  MOEFB_TRY(plan.status());
  std::unique_ptr<Impl> impl(new (std::nothrow) Impl(model, options));
  if (impl == nullptr) return Status(Code::kOutOfMemory, "no memory");
  impl->plan = std::move(*plan);

  if (options.memory.empty()) {
    impl->memory = allocate<std::byte>(impl->plan.arena_bytes);
    if (impl->memory == nullptr)
      return Status(Code::kOutOfMemory, "no memory for the arena").at(impl->plan.arena_bytes);
    impl->arena = impl->memory.get();
  } else {
    if (int64_t(options.memory.size()) < impl->plan.arena_bytes) {
      return Status(Code::kInvalidArgument, "the caller's arena is too small")
          .values(int64_t(options.memory.size()), impl->plan.arena_bytes);
    }
    if (reinterpret_cast<uintptr_t>(options.memory.data()) % size_t(plan::kAlignment) != 0) {
      return Status(Code::kInvalidArgument, "the caller's arena is not aligned to 64 bytes");
    }
    impl->arena = options.memory.data();
  }

  auto runner = cpu::GraphRunner::make(*model.state().packed, impl->plan, options);
  MOEFB_TRY(runner.status());
  impl->runner = std::move(*runner);
  impl->trace = list_trace(impl->graph(), options.trace);
  return Executor(std::move(impl));
}

Executor::Executor(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
Executor::Executor(Executor&&) noexcept = default;
Executor::~Executor() = default;

Status Executor::run(std::span<const float> images, std::span<float> logits) noexcept {
  const BusyGuard guard(impl_->busy);
  if (!guard.entered()) return Status(Code::kBusy, "another thread is inside this executor");
  auto n = batch_of(impl_->model, images, logits);
  MOEFB_TRY(n.status());
  MOEFB_TRY(check_finite(images));
  const std::span<const int32_t> replay = impl_->options.replay_routes;
  if (!replay.empty()) MOEFB_TRY(check_replay(impl_->model, *n, replay));
  impl_->last_n = 0;
  MOEFB_TRY(impl_->runner->run(*n, images.data(), logits.data(), impl_->arena, replay));
  impl_->last_n = *n;
  return {};
}

int Executor::trace_count() const noexcept {
  return impl_->last_n == 0 ? 0 : int(impl_->trace.size());
}

TraceInfo Executor::trace_info(int index) const noexcept {
  if (index < 0 || index >= trace_count()) return {};
  return moefb::trace_info(impl_->trace[size_t(index)], impl_->trace_source());
}

Status Executor::read_trace(int index, std::span<std::byte> dst) const noexcept {
  if (index < 0 || index >= trace_count())
    return Status(Code::kInvalidArgument, "no such traced tensor").values(index, trace_count());
  const TraceInfo info = trace_info(index);
  const int64_t bytes = info.shape.elements() * int64_t(dtype_bytes(info.dtype));
  if (int64_t(dst.size()) != bytes)
    return Status(Code::kInvalidArgument, "wrong size for a traced tensor").values(int64_t(dst.size()), bytes);
  moefb::read_trace(impl_->trace[size_t(index)], impl_->trace_source(), dst.data());
  return {};
}

Status Executor::read_routes(std::span<int32_t> routes) const noexcept {
  if (impl_->options.trace == Trace::kOff || impl_->last_n == 0)
    return Status(Code::kInvalidArgument, "no run was traced");
  const int64_t expected = route_count(impl_->model, int(impl_->last_n));
  if (int64_t(routes.size()) != expected) {
    return Status(Code::kInvalidArgument, "wrong size for the routes").values(int64_t(routes.size()), expected);
  }
  int32_t* dst = routes.data();
  for (const auto& moe : impl_->runner->moe()) {
    if (moe->op().moe().router.kind == graph::RouterKind::kSoft) continue;
    const plan::MoeSizes& sizes = moe->layout().sizes;
    dst = std::copy_n(cpu::arrays(moe->layout(), impl_->arena).chosen, impl_->last_n * sizes.tokens_per_image * sizes.K,
                      dst);
  }
  return {};
}

int Executor::moe_layer_count() const noexcept {
  return int(impl_->runner->moe().size());
}

ExpertRows Executor::expert_rows(int moe_layer) const noexcept {
  if (moe_layer < 0 || moe_layer >= moe_layer_count()) return {};
  const cpu::MoeState& moe = *impl_->runner->moe()[size_t(moe_layer)];
  return {moe.op().moe().published_layer, moe.expert_rows()};
}

const Model& Executor::model() const noexcept {
  return impl_->model;
}

const ExecutorOptions& Executor::options() const noexcept {
  return impl_->options;
}

void softmax(std::span<const float> logits, std::span<float> probabilities) noexcept {
  kernels::routing::softmax(logits.data(), int64_t(logits.size()), 1.0f, probabilities.data());
}

}  // namespace moefb
