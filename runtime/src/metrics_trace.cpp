// Router metrics out of what a traced run leaves behind.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <new>

#include "buffer.h"
#include "moefb/inspect.h"
#include "moefb/metrics.h"

namespace moefb {
namespace {

bool routes_patches(const StageInfo& stage) noexcept {
  return stage.is_moe && stage.published_layer >= 0;
}

int patch_layers(const Model& model) noexcept {
  int count = 0;
  for (int i = 0; i < stage_count(model); ++i) count += routes_patches(stage_info(model, i));
  return count;
}

/// Index of a layer's traced tensor; -1 if no run was traced.
int find(const Executor& executor, int layer, const char* leaf) noexcept {
  char name[64];
  std::snprintf(name, sizeof name, "layer%d.%s", layer, leaf);
  for (int i = 0; i < executor.trace_count(); ++i) {
    if (std::strcmp(executor.trace_info(i).name, name) == 0) return i;
  }
  return -1;
}

template <typename T>
Status read(const Executor& executor, int layer, const char* leaf, std::span<T> dst) noexcept {
  return executor.read_trace(find(executor, layer, leaf), std::as_writable_bytes(dst));
}

/// Images of the last run; 0 if none was traced.
int64_t traced_images(const Executor& executor, const StageInfo& stage) noexcept {
  const int index = find(executor, stage.published_layer, "assigned_expert");
  return index < 0 ? 0 : executor.trace_info(index).shape[0] / stage.router.tokens_per_image;
}

Status other_model() noexcept {
  return Status(Code::kInvalidArgument, "router metrics: made for another model");
}

/// Room for one layer's part of the trace.
struct Scratch {
  Buffer<float> logits;
  Buffer<int64_t> experts;
  Buffer<float> weights;

  bool allocate_for(int64_t tokens, int64_t most_experts) noexcept {
    logits = allocate<float>(tokens * most_experts);
    experts = allocate<int64_t>(tokens);
    weights = allocate<float>(tokens);
    return logits != nullptr && experts != nullptr && weights != nullptr;
  }
};

/// Slots of each expert in the last run: the trace holds one image's under group `image`.
Status read_capacity(const Executor& executor, const StageInfo& stage, int64_t images, int64_t& capacity) noexcept {
  MOEFB_TRY(read(executor, stage.published_layer, "capacity", std::span(&capacity, 1)));
  const CapacityGroup group = executor.options().capacity_group.value_or(stage.router.capacity_group);
  if (group == CapacityGroup::kImage) capacity *= images;
  return {};
}

/// One layer's part of the last run, in `scratch`.
Result<RoutedBatch> read_layer(const Executor& executor, const StageInfo& stage, int64_t images,
                               const Scratch& scratch) noexcept {
  const size_t tokens = size_t(stage.router.tokens_per_image * images);
  const std::span<float> logits(scratch.logits.get(), tokens * size_t(stage.router.experts));
  const std::span<int64_t> experts(scratch.experts.get(), tokens);
  const std::span<float> weights(scratch.weights.get(), tokens);
  RoutedBatch batch{logits, experts, weights, 0, {}};
  MOEFB_TRY(read(executor, stage.published_layer, "scaled_logits", logits));
  MOEFB_TRY(read(executor, stage.published_layer, "assigned_expert", experts));
  MOEFB_TRY(read(executor, stage.published_layer, "combine_weight", weights));
  MOEFB_TRY(read_capacity(executor, stage, images, batch.capacity));
  return batch;
}

}  // namespace

Result<RouterMetrics> RouterMetrics::create(const Model& model) noexcept {
  const int layers = patch_layers(model);
  if (layers == 0) {
    return Status(Code::kUnsupported, "router metrics are of patch networks: this model's router sends whole pictures");
  }
  const Buffer<int> experts = allocate<int>(layers);
  if (experts == nullptr) return Status(Code::kOutOfMemory, "no memory for router metrics");
  for (int i = 0, layer = 0; i < stage_count(model); ++i) {
    const StageInfo stage = stage_info(model, i);
    if (routes_patches(stage)) experts[size_t(layer++)] = stage.router.experts;
  }
  return create(std::span<const int>(experts.get(), size_t(layers)));
}

Status RouterMetrics::add(const Executor& executor) noexcept {
  const Model& model = executor.model();
  int64_t images = 0, most_tokens = 0;
  int layer = 0, most_experts = 0;
  for (int i = 0; i < stage_count(model); ++i) {
    const StageInfo stage = stage_info(model, i);
    if (!routes_patches(stage)) continue;
    if (layer == layers_ || experts_[size_t(layer)] != stage.router.experts) return other_model();
    images = traced_images(executor, stage);
    most_tokens = std::max(most_tokens, stage.router.tokens_per_image * images);
    most_experts = std::max(most_experts, stage.router.experts);
    ++layer;
  }
  if (layer != layers_) return other_model();
  if (images == 0) return Status(Code::kInvalidArgument, "router metrics: the executor has not run with a trace");

  Scratch scratch;
  if (!scratch.allocate_for(most_tokens, most_experts)) return Status(Code::kOutOfMemory, "no memory for a trace");
  layer = 0;
  for (int i = 0; i < stage_count(model); ++i) {
    const StageInfo stage = stage_info(model, i);
    if (!routes_patches(stage)) continue;
    const Result<RoutedBatch> batch = read_layer(executor, stage, images, scratch);
    MOEFB_TRY(batch.status());
    MOEFB_TRY(add(layer++, *batch));
  }
  return {};
}

}  // namespace moefb
