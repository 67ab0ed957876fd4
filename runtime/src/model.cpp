#include "moefb/model.h"

#include <cstring>

#include "file.h"
#include "format/reader.h"
#include "graph/graph.h"
#include "model_state.h"

namespace moefb {
namespace {

using detail::ModelState;

constexpr int kMaxBatch = 1 << 16;

Status check_options(const LoadOptions& options) noexcept {
  if (options.max_batch < 1 || options.max_batch > kMaxBatch) {
    return Status(Code::kInvalidArgument, "max_batch must be 1 to 65536").values(options.max_batch, kMaxBatch);
  }
  if (options.backend != Backend::kCpu) return Status(Code::kUnsupported, "this build has no such backend");
  return {};
}

/// Reads the file into memory of the state's own.
Status read_file(const char* path, ModelState& state) noexcept {
  Result<FileBytes> file = read_whole_file(path, INT64_MAX);
  MOEFB_TRY(file.status());
  state.memory = std::move(file->memory);
  state.file = {state.memory.get(), file->size};
  return {};
}

/// Uses the caller's bytes in place if they are aligned, else copies them.
Status take_span(std::span<const std::byte> bytes, ModelState& state) noexcept {
  state.file = bytes;
  if (reinterpret_cast<uintptr_t>(bytes.data()) % kBufferAlignment == 0) return {};
  state.memory = allocate<std::byte>(int64_t(bytes.size()));
  if (state.memory == nullptr) return Status(Code::kOutOfMemory, "no memory for the model").at(int64_t(bytes.size()));
  std::memcpy(state.memory.get(), bytes.data(), bytes.size());
  state.file = {state.memory.get(), bytes.size()};
  return {};
}

Result<Model> finish(std::shared_ptr<ModelState> state) noexcept {
  auto graph = format::read_graph(state->file, state->options.verify_checksums);
  MOEFB_TRY(graph.status());
  state->graph = std::move(*graph);
  auto packed = cpu::PackedGraph::make(*state->graph, state->options.kernels, state->options.max_batch);
  MOEFB_TRY(packed.status());
  state->packed = std::move(*packed);
  return Model(std::move(state));
}

template <typename Source>
Result<Model> load_from(const LoadOptions& options, const Source& source) noexcept {
  MOEFB_TRY(check_options(options));
  std::shared_ptr<ModelState> state(new (std::nothrow) ModelState);
  if (state == nullptr) return Status(Code::kOutOfMemory, "no memory");
  state->options = options;
  MOEFB_TRY(source(*state));
  return finish(std::move(state));
}

}  // namespace

Result<Model> Model::load(const char* path, const LoadOptions& options) noexcept {
  return load_from(options, [path](ModelState& state) { return read_file(path, state); });
}

Result<Model> Model::load(std::span<const std::byte> bytes, const LoadOptions& options) noexcept {
  return load_from(options, [bytes](ModelState& state) { return take_span(bytes, state); });
}

InputKind Model::input_kind() const noexcept {
  return state_->graph->meta.input_kind;
}

Shape Model::input_shape() const noexcept {
  return state_->graph->values[size_t(state_->graph->input)].shape;
}

int Model::classes() const noexcept {
  return int(state_->graph->values[size_t(state_->graph->output)].shape.elements());
}

std::string_view Model::class_name(int index) const noexcept {
  const auto& names = state_->graph->meta.class_names;
  return index >= 0 && size_t(index) < names.size() ? std::string_view(names[size_t(index)]) : std::string_view();
}

const Preprocessing* Model::preprocessing() const noexcept {
  return state_->graph->has_preprocessing ? &state_->graph->preprocessing : nullptr;
}

CapacityGroup Model::capacity_group() const noexcept {
  for (const graph::Stage& stage : state_->graph->stages) {
    if (stage.is_moe && stage.moe.router.kind == graph::RouterKind::kPatchTop1) return stage.moe.router.capacity_group;
  }
  return CapacityGroup::kBatch;
}

const LoadOptions& Model::options() const noexcept {
  return state_->options;
}

int Model::golden_count() const noexcept {
  return int(state_->graph->goldens.size());
}

GoldenVector Model::golden(int index) const noexcept {
  return state_->graph->goldens[size_t(index)];
}

}  // namespace moefb
