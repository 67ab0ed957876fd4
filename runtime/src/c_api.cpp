// The C API over the C++ one: checks what C cannot express, then calls on. No second engine.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <memory>
#include <new>
#include <optional>
#include <utility>

#include "c_api_structs.h"
#include "moefb/executor.h"
#include "moefb/image.h"
#include "moefb/inspect.h"
#include "moefb/model.h"
#include "moefb/moefb.h"

using namespace moefb;

struct moefb_model {
  Model model;
};

struct moefb_executor {
  Executor executor;
  bool traced;
  /// Inputs of the last successful run. Atomic: it is written outside of the executor, where another thread may be too.
  std::atomic<int> last_n = 0;
};

namespace {

using c_api::give;
using c_api::need;
using c_api::reported;
using c_api::take;
using c_api::to_enum;

static_assert(MOEFB_BACKEND == int(Code::kBackend) && MOEFB_BUSY == int(Code::kBusy), "codes are passed on as numbers");
static_assert(MOEFB_I64 == int(Dtype::kI64) && MOEFB_INPUT_MAP == int(InputKind::kMap));

// --- models ---

Status load_options(const moefb_load_options* given, LoadOptions& options) noexcept {
  moefb_load_options o;
  MOEFB_TRY(take(given, o));
  MOEFB_TRY(to_enum(o.backend, Backend::kCpu, "unknown backend", options.backend));
  MOEFB_TRY(to_enum(o.kernels, Kernels::kReference, "unknown kernels", options.kernels));
  if (o.max_batch != 0) options.max_batch = o.max_batch;
  options.verify_checksums = o.skip_checksums == 0;
  return {};
}

/// `load` takes the options and returns a Result<Model>.
template <typename Load>
Status load_model(const moefb_load_options* given, moefb_model** model, const Load& load) noexcept {
  MOEFB_TRY(need(model));
  *model = nullptr;
  LoadOptions options;
  MOEFB_TRY(load_options(given, options));
  Result<Model> loaded = load(options);
  MOEFB_TRY(loaded.status());
  *model = new (std::nothrow) moefb_model{std::move(*loaded)};
  return *model == nullptr ? Status(Code::kOutOfMemory, "no memory for a model") : Status();
}

moefb_code model_load_file(const char* path, const moefb_load_options* options, moefb_model** model,
                           moefb_error* error) noexcept {
  return reported(error,
                  [=] { return load_model(options, model, [=](const auto& o) { return Model::load(path, o); }); });
}

moefb_code model_load_memory(const void* bytes, size_t byte_count, const moefb_load_options* options,
                             moefb_model** model, moefb_error* error) noexcept {
  return reported(error, [=]() -> Status {
    MOEFB_TRY(need(bytes));
    const std::span file(static_cast<const std::byte*>(bytes), byte_count);
    return load_model(options, model, [=](const auto& o) { return Model::load(file, o); });
  });
}

void model_free(moefb_model* model) noexcept {
  delete model;
}

/// The stage that is MoE layer `layer`; `layer` counts down to it. @return false if there are not as many
bool find_moe_layer(const Model& model, int layer, StageInfo& found) noexcept {
  for (int i = 0; i < stage_count(model); ++i) {
    const StageInfo stage = stage_info(model, i);
    if (!stage.is_moe || layer-- > 0) continue;
    found = stage;
    return true;
  }
  return false;
}

int moe_layer_count(const Model& model) noexcept {
  int count = 0;
  for (int i = 0; i < stage_count(model); ++i) count += stage_info(model, i).is_moe;
  return count;
}

moefb_code model_get_info(const moefb_model* model, moefb_model_info* info, moefb_error* error) noexcept {
  return reported(error, [=]() -> Status {
    MOEFB_TRY(need(model));
    const Shape shape = model->model.input_shape();
    const FileInfo file = file_info(model->model);
    moefb_model_info answer = {};
    answer.input_kind = int32_t(model->model.input_kind());
    answer.input_rank = shape.rank;
    std::copy_n(shape.dims, shape.rank, answer.input_dims);
    answer.input_count = shape.elements();
    answer.classes = model->model.classes();
    answer.max_batch = model->model.options().max_batch;
    answer.moe_layers = moe_layer_count(model->model);
    answer.format_version = file.format_version;
    answer.parameters = file.parameters;
    answer.active_parameters = file.active_parameters;
    answer.multiply_adds = file.multiply_adds;
    return give(answer, info);
  });
}

const char* class_name(const moefb_model* model, int32_t index) noexcept {
  const std::string_view name = model == nullptr ? std::string_view() : model->model.class_name(index);
  return name.empty() ? "" : name.data();
}

moefb_code moe_layer_get_info(const moefb_model* model, int32_t layer, moefb_moe_layer_info* info,
                              moefb_error* error) noexcept {
  return reported(error, [=]() -> Status {
    MOEFB_TRY(need(model));
    StageInfo stage;
    if (layer < 0 || !find_moe_layer(model->model, layer, stage)) {
      return Status(Code::kInvalidArgument, "no such MoE layer").values(layer, moe_layer_count(model->model));
    }
    moefb_moe_layer_info answer = {};
    answer.published_layer = stage.published_layer;
    answer.experts = stage.router.experts;
    answer.top_k = stage.router.top_k;
    answer.soft = stage.router.kind == "soft";
    answer.tokens_per_input = stage.router.tokens_per_image;
    return give(answer, info);
  });
}

// --- inputs ---

/// Checks what all three ways to an input share, then lets `picture` return a Result<Image> and preprocesses that.
template <typename Picture>
moefb_code make_input(const moefb_model* model, const void* source, float* input, size_t input_count,
                      moefb_error* error, const Picture& picture) noexcept {
  return reported(error, [&]() -> Status {
    MOEFB_TRY(need(model, source, input));
    const Preprocessing* rule = model->model.preprocessing();
    if (rule == nullptr) return {Code::kUnsupported, "the model takes no pictures"};
    const int64_t expected = model->model.input_shape().elements();
    if (int64_t(input_count) != expected) {
      return Status(Code::kInvalidArgument, "the input's size is not the model's")
          .values(int64_t(input_count), expected);
    }
    const Result<Image> image = picture();
    MOEFB_TRY(image.status());
    return preprocess(*image, *rule, {input, input_count});
  });
}

Result<Image> copy_pixels(const uint8_t* pixels, int32_t width, int32_t height, size_t stride) noexcept {
  if (width < 1) return Status(Code::kInvalidArgument, "the picture's width").values(width, 1);
  if (height < 1) return Status(Code::kInvalidArgument, "the picture's height").values(height, 1);
  if (int64_t(width) * height > kMaxPixels) {
    return Status(Code::kUnsupported, "the picture has too many pixels").values(int64_t(width) * height, kMaxPixels);
  }
  const size_t row = size_t(width) * 3;
  if (stride == 0) stride = row;
  if (stride < row) return Status(Code::kInvalidArgument, "the rows overlap").values(int64_t(stride), int64_t(row));
  Image image{width, height, std::unique_ptr<uint8_t[]>(new (std::nothrow) uint8_t[row * size_t(height)])};
  if (image.pixels == nullptr) return Status(Code::kOutOfMemory, "no memory for a picture");
  for (size_t y = 0; y < size_t(height); ++y) std::memcpy(image.pixels.get() + y * row, pixels + y * stride, row);
  return image;
}

moefb_code input_from_file(const moefb_model* model, const char* path, float* input, size_t input_count,
                           moefb_error* error) noexcept {
  return make_input(model, path, input, input_count, error, [=] { return load_image(path); });
}

moefb_code input_from_encoded(const moefb_model* model, const void* bytes, size_t byte_count, float* input,
                              size_t input_count, moefb_error* error) noexcept {
  return make_input(model, bytes, input, input_count, error, [=] {
    return decode_image({static_cast<const std::byte*>(bytes), byte_count});
  });
}

moefb_code input_from_pixels(const moefb_model* model, const uint8_t* pixels, int32_t width, int32_t height,
                             size_t stride, float* input, size_t input_count, moefb_error* error) noexcept {
  return make_input(model, pixels, input, input_count, error,
                    [=] { return copy_pixels(pixels, width, height, stride); });
}

// --- executors ---

Status capacity_group(int32_t value, std::optional<CapacityGroup>& group) noexcept {
  static_assert(MOEFB_CAPACITY_NONE - MOEFB_CAPACITY_BATCH == int(CapacityGroup::kNone));
  if (value < MOEFB_CAPACITY_AS_MODEL || value > MOEFB_CAPACITY_NONE) {
    return Status(Code::kInvalidArgument, "unknown capacity group").values(value, MOEFB_CAPACITY_NONE);
  }
  if (value != MOEFB_CAPACITY_AS_MODEL) group = CapacityGroup(value - MOEFB_CAPACITY_BATCH);
  return {};
}

Status executor_options(const moefb_executor_options* given, ExecutorOptions& options) noexcept {
  moefb_executor_options o;
  MOEFB_TRY(take(given, o));
  MOEFB_TRY(to_enum(o.dispatch, Dispatch::kAll, "unknown dispatch", options.dispatch));
  MOEFB_TRY(to_enum(o.trace, Trace::kAll, "unknown trace level", options.trace));
  MOEFB_TRY(capacity_group(o.capacity_group, options.capacity_group));
  const int threads = o.threads == 0 ? 1 : o.threads;
  options.threads = threads;
  options.host_threads = {o.parallel_for, o.parallel_for_host, threads};
  if (o.memory == nullptr && o.memory_bytes != 0) return {Code::kInvalidArgument, "memory_bytes without memory"};
  if (o.memory != nullptr && o.memory_bytes == 0) return {Code::kInvalidArgument, "memory without memory_bytes"};
  options.memory = {static_cast<std::byte*>(o.memory), o.memory_bytes};
  return {};
}

moefb_code executor_get_requirements(const moefb_model* model, const moefb_executor_options* given,
                                     moefb_requirements* answer, moefb_error* error) noexcept {
  return reported(error, [=]() -> Status {
    MOEFB_TRY(need(model));
    ExecutorOptions options;
    MOEFB_TRY(executor_options(given, options));
    const Result<Requirements> needed = requirements(model->model, options);
    MOEFB_TRY(needed.status());
    return give(moefb_requirements{0, needed->arena_bytes, needed->arena_alignment}, answer);
  });
}

moefb_code executor_create(const moefb_model* model, const moefb_executor_options* given, moefb_executor** executor,
                           moefb_error* error) noexcept {
  return reported(error, [=]() -> Status {
    MOEFB_TRY(need(executor));
    *executor = nullptr;
    MOEFB_TRY(need(model));
    ExecutorOptions options;
    MOEFB_TRY(executor_options(given, options));
    Result<Executor> created = Executor::create(model->model, options);
    MOEFB_TRY(created.status());
    *executor = new (std::nothrow) moefb_executor{std::move(*created), options.trace != Trace::kOff};
    return *executor == nullptr ? Status(Code::kOutOfMemory, "no memory for an executor") : Status();
  });
}

void executor_free(moefb_executor* executor) noexcept {
  delete executor;
}

moefb_code run(moefb_executor* executor, const float* input, size_t input_count, float* logits, size_t logit_count,
               moefb_error* error) noexcept {
  return reported(error, [=]() -> Status {
    MOEFB_TRY(need(executor, input, logits));
    MOEFB_TRY(executor->executor.run({input, input_count}, {logits, logit_count}));
    executor->last_n = int(int64_t(input_count) / executor->executor.model().input_shape().elements());
    return {};
  });
}

// --- answers ---

moefb_code softmax_row(const float* logits, size_t count, float* probabilities, moefb_error* error) noexcept {
  return reported(error, [=]() -> Status {
    MOEFB_TRY(need(logits, probabilities));
    if (count == 0) return {Code::kInvalidArgument, "softmax of nothing"};
    softmax({logits, count}, {probabilities, count});
    return {};
  });
}

/// Whether value `a` at index `i` ranks before `b` at `j`. A NaN comes last, so that every input has an order.
bool ranks_before(float a, size_t i, float b, size_t j) noexcept {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) == std::isnan(b) ? i < j : std::isnan(b);
  return a > b || (a == b && i < j);
}

moefb_code top_k(const float* values, size_t count, size_t k, moefb_ranked* ranked, moefb_error* error) noexcept {
  return reported(error, [=]() -> Status {
    MOEFB_TRY(need(values, ranked));
    if (count > INT32_MAX) return Status(Code::kInvalidArgument, "too many values").values(int64_t(count), INT32_MAX);
    if (k < 1 || k > count) {
      return Status(Code::kInvalidArgument, "k must be 1 to the number of values").values(int64_t(k), int64_t(count));
    }
    size_t filled = 0;  // insertion into a sorted list: k is a handful
    for (size_t i = 0; i < count; ++i) {
      size_t at = filled;
      while (at > 0 && ranks_before(values[i], i, ranked[at - 1].value, size_t(ranked[at - 1].index))) --at;
      if (at == k) continue;
      if (filled < k) ++filled;
      std::copy_backward(ranked + at, ranked + filled - 1, ranked + filled);
      ranked[at] = {int32_t(i), values[i]};
    }
    return {};
  });
}

// --- routing of the last run ---

size_t routes_of_last_run(const moefb_executor* executor) noexcept {
  if (executor == nullptr || !executor->traced || executor->last_n == 0) return 0;
  return size_t(route_count(executor->executor.model(), executor->last_n));
}

moefb_code read_routes(const moefb_executor* executor, int32_t* routes, size_t count, moefb_error* error) noexcept {
  return reported(error, [=]() -> Status {
    MOEFB_TRY(need(executor, routes));
    return executor->executor.read_routes({routes, count});
  });
}

moefb_code read_expert_rows(const moefb_executor* executor, int32_t layer, int64_t* rows, size_t count,
                            moefb_error* error) noexcept {
  return reported(error, [=]() -> Status {
    MOEFB_TRY(need(executor, rows));
    const int layers = executor->executor.moe_layer_count();
    if (layer < 0 || layer >= layers) {
      return Status(Code::kInvalidArgument, "no such MoE layer").values(layer, layers);
    }
    if (executor->last_n == 0) return {Code::kInvalidArgument, "nothing was run"};
    const std::span<const int64_t> known = executor->executor.expert_rows(layer).rows;
    if (count != known.size()) {
      return Status(Code::kInvalidArgument, "not the layer's number of experts")
          .values(int64_t(count), int64_t(known.size()));
    }
    std::copy(known.begin(), known.end(), rows);
    return {};
  });
}

int32_t trace_count(const moefb_executor* executor) noexcept {
  return executor == nullptr ? 0 : executor->executor.trace_count();
}

moefb_code trace_get_info(const moefb_executor* executor, int32_t index, moefb_trace_info* info,
                          moefb_error* error) noexcept {
  return reported(error, [=]() -> Status {
    MOEFB_TRY(need(executor));
    if (index < 0 || index >= executor->executor.trace_count()) {
      return Status(Code::kInvalidArgument, "no such traced tensor").values(index, executor->executor.trace_count());
    }
    const TraceInfo tensor = executor->executor.trace_info(index);
    moefb_trace_info answer = {};
    answer.name = tensor.name;
    answer.dtype = int32_t(tensor.dtype);
    answer.rank = tensor.shape.rank;
    std::copy_n(tensor.shape.dims, tensor.shape.rank, answer.dims);
    answer.bytes = size_t(tensor.shape.elements()) * dtype_bytes(tensor.dtype);
    return give(answer, info);
  });
}

moefb_code read_trace(const moefb_executor* executor, int32_t index, void* bytes, size_t byte_count,
                      moefb_error* error) noexcept {
  return reported(error, [=]() -> Status {
    MOEFB_TRY(need(executor, bytes));
    return executor->executor.read_trace(index, {static_cast<std::byte*>(bytes), byte_count});
  });
}

constexpr moefb_api kApi = {
    MOEFB_API_VERSION,
    model_load_file,
    model_load_memory,
    model_free,
    model_get_info,
    class_name,
    moe_layer_get_info,
    input_from_file,
    input_from_encoded,
    input_from_pixels,
    executor_get_requirements,
    executor_create,
    executor_free,
    run,
    softmax_row,
    top_k,
    routes_of_last_run,
    read_routes,
    read_expert_rows,
    trace_count,
    trace_get_info,
    read_trace,
};

}  // namespace

extern "C" const moefb_api* moefb_get_api(uint32_t version) {
  return version >= 1 && version <= MOEFB_API_VERSION ? &kApi : nullptr;
}

extern "C" const char* moefb_version(void) {
  return version();
}
