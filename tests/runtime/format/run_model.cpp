#include "runtime/format/run_model.h"

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "moefb/executor.h"
#include "moefb/inspect.h"

namespace moefb::testing {
namespace {

constexpr size_t kMaxArenaBytes = size_t{1} << 17;
constexpr uint64_t kMaxMultiplyAdds = uint64_t{1} << 22;

[[noreturn]] void fail(const char* what, const Status& status) {
  std::fprintf(stderr, "run_model: %s: %s\n", what, status.text());
  std::abort();
}

bool is_small(const Model& model, const ExecutorOptions& options) {
  for (int i = 0; i < stage_count(model); ++i) {
    const StageInfo stage = stage_info(model, i);
    const auto experts = uint64_t(stage.is_moe ? stage.router.experts : 1);  // with dispatch `all` each runs
    if (stage.multiply_adds > kMaxMultiplyAdds / experts) return false;
  }
  const auto needed = requirements(model, options);
  return needed.ok() && needed->arena_bytes <= kMaxArenaBytes;
}

/// Half of the elements above zero, so that no branch of an activation is left out.
std::vector<float> some_input(size_t size) {
  std::vector<float> input(size);
  for (size_t i = 0; i < size; ++i) input[i] = float(int(i * 37 % 19) - 9) * 0.25f;
  return input;
}

void read_all_traces(const Executor& executor) {
  std::vector<std::byte> bytes;
  for (int i = 0; i < executor.trace_count(); ++i) {
    const TraceInfo info = executor.trace_info(i);
    bytes.resize(size_t(info.shape.elements()) * dtype_bytes(info.dtype));
    if (const Status s = executor.read_trace(i, bytes); !s.ok()) fail(info.name, s);
  }
}

/// @return false if a vendor library has no kernel for what the model asks
bool run_once(const Model& model, const ExecutorOptions& options) {
  auto executor = Executor::create(model, options);
  if (executor.status().code() == Code::kBackend) return false;
  if (!executor.ok()) fail("create", executor.status());
  const auto n = size_t(model.options().max_batch);
  std::vector<float> logits(n * size_t(model.classes()));
  const Status s = executor->run(some_input(n * size_t(model.input_shape().elements())), logits);
  if (!s.ok()) fail("run", s);
  read_all_traces(*executor);
  std::vector<int32_t> routes(size_t(route_count(model, int(n))));
  if (const Status read = executor->read_routes(routes); !read.ok()) fail("read_routes", read);
  return true;
}

}  // namespace

void look_at(const Model& model) {
  const FileInfo info = file_info(model);
  size_t shown = info.kind.size() + info.head.size() + info.producer.size();
  for (int i = 0; i < segment_count(model); ++i) shown += segment_info(model, i).kind.size();
  for (int i = 0; i < stage_count(model); ++i) shown += stage_info(model, i).op.size();
  for (int i = 0; i < model.classes() && !model.class_name(i).empty(); ++i) shown += model.class_name(i).size();
  if (shown > (size_t{1} << 30)) std::abort();  // keeps the reads alive
}

bool run_if_small(const Model& model) {
  bool ran = false;
  for (Dispatch dispatch : {Dispatch::kGrouped, Dispatch::kNaive, Dispatch::kAll}) {
    ExecutorOptions options;
    options.dispatch = dispatch;
    options.trace = Trace::kAll;
    if (is_small(model, options)) ran = run_once(model, options) || ran;
  }
  for (int i = 0; ran && i < model.golden_count(); ++i) {
    // Refused where it has another batch than max_batch allows, right or wrong where not.
    static_cast<void>(check_golden(model, i));
  }
  return ran;
}

}  // namespace moefb::testing
