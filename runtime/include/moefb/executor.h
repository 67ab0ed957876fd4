// A model made ready to run on one device. Start reading the runtime here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "moefb/export.h"
#include "moefb/model.h"
#include "moefb/result.h"
#include "moefb/tensor.h"

namespace moefb {

/// How tokens meet their experts. All three give the same answer within rounding.
enum class Dispatch : uint8_t {
  kGrouped,  ///< tokens sorted by expert, each expert once over its group; a soft head as two products for all experts
  kNaive,    ///< as published: per expert a mask over all tokens, a gather, its products, a scatter
  kAll,      ///< every expert on every token, weighted by the routes: 0 where the token was not sent
};

/// What a run keeps for reading afterwards.
enum class Trace : uint8_t {
  kOff,      ///< nothing: free
  kRouting,  ///< what the routers decided
  kAll,      ///< also the named feature maps
};

/// Runs fn(ctx2, i) for every i in 0..n-1, in any order, on any threads, and returns when all are done.
struct HostThreads {
  void (*parallel_for)(void* ctx, int n, void (*fn)(void* ctx2, int i), void* ctx2) = nullptr;
  void* ctx = nullptr;
  int threads = 1;  ///< how many it can run at once
};

struct ExecutorOptions {
  int threads = 1;  ///< 1 runs inline; more start a fixed pool
  Dispatch dispatch = Dispatch::kGrouped;
  std::optional<CapacityGroup> capacity_group;  ///< instead of the file's
  Trace trace = Trace::kOff;
  /// The caller's arena, at least Requirements::arena_bytes, aligned to 64; empty: create() allocates one.
  std::span<std::byte> memory;
  HostThreads host_threads;  ///< instead of a pool of our own; `threads` is then ignored
  /// Instead of the routers' choices: experts in the layout of GoldenVector::routes, for exactly the batches that will
  /// be run; each within range and at most once for a token (-1, dropped, only of patches), or run() refuses them. For
  /// comparing precisions, where two nearly equal scores may change places. Must outlive the Executor.
  std::span<const int32_t> replay_routes;
};

struct Requirements {
  size_t arena_bytes = 0;  ///< all memory that run() works in
  size_t arena_alignment = 64;
};

/// What an Executor of `model` would need, before anything is allocated.
MOEFB_EXPORT Result<Requirements> requirements(const Model& model, const ExecutorOptions& options = {}) noexcept;

/// One traced tensor of the last run. Maps are shown as (n, C, H, W), row-major; indices as I64.
struct TraceInfo {
  const char* name = "";  ///< "probs", "layer3.assigned_expert", ...: design.md, section 9
  Dtype dtype = Dtype::kF32;
  Shape shape;
};

/// Tokens that each expert of one MoE layer computed in the last run: routed rows under kGrouped and kNaive, all under
/// kAll.
struct ExpertRows {
  int published_layer = -1;       ///< -1 for a head
  std::span<const int64_t> rows;  ///< (E)
};

/// Runs one Model. All memory is laid out by create(); run() allocates nothing of ours.
/// Share a Model between threads, but give each thread its own Executor.
class Executor {
 public:
  MOEFB_EXPORT static Result<Executor> create(const Model& model, const ExecutorOptions& options = {}) noexcept;
  MOEFB_EXPORT Executor(Executor&&) noexcept;
  MOEFB_EXPORT ~Executor();

  /// Classifies n images, where n follows from the size of `images`.
  ///
  /// @param images  (n, input shape) f32 row-major: (n, C, H, W) normalised as preprocessing() says, or (n, D); 1 <= n
  /// <= max_batch.
  /// @param logits  (n, classes) f32, overwritten. May not overlap `images`.
  /// @return kInvalidArgument  a span has the wrong size, an input is not finite, a replayed route is none; nothing was
  ///                           written;
  ///         kBusy             another thread is inside run();
  ///         kBackend          the device failed; `logits` is unspecified, the Executor may be used again.
  MOEFB_EXPORT Status run(std::span<const float> images, std::span<float> logits) noexcept;

  /// Tensors kept by the last run; 0 with Trace::kOff or before a run.
  MOEFB_EXPORT int trace_count() const noexcept;
  MOEFB_EXPORT TraceInfo trace_info(int index) const noexcept;
  /// Copies a traced tensor out, in the dtype and shape that trace_info() gives.
  /// @return kInvalidArgument  no such tensor, or `dst` has another size
  MOEFB_EXPORT Status read_trace(int index, std::span<std::byte> dst) const noexcept;

  /// The last run's chosen experts, MoE layer after MoE layer (soft layers choose nothing): (tokens, K) each, -1 where
  /// dropped. Needs Trace::kRouting or kAll.
  /// @param routes  as many as route_count() in inspect.h says for the last run's batch, overwritten
  MOEFB_EXPORT Status read_routes(std::span<int32_t> routes) const noexcept;

  MOEFB_EXPORT int moe_layer_count() const noexcept;
  MOEFB_EXPORT ExpertRows expert_rows(int moe_layer) const noexcept;

  MOEFB_EXPORT const Model& model() const noexcept;
  MOEFB_EXPORT const ExecutorOptions& options() const noexcept;

 private:
  struct Impl;
  explicit Executor(std::unique_ptr<Impl> impl) noexcept;
  std::unique_ptr<Impl> impl_;
};

/// softmax over one row of logits. @param probabilities  as many as `logits`, overwritten
MOEFB_EXPORT void softmax(std::span<const float> logits, std::span<float> probabilities) noexcept;

}  // namespace moefb
