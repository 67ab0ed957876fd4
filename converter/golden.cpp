#include "converter/golden.h"

#include <algorithm>
#include <cmath>
#include <thread>
#include <utility>

#include "converter/moefb_file.h"

namespace moefb::convert {
namespace {

constexpr unsigned kMaxThreads = 8;

fb::CapacityGroup to_schema(CapacityGroup group) {
  return static_cast<fb::CapacityGroup>(group);
}
static_assert(uint8_t(fb::CapacityGroup::none) == uint8_t(CapacityGroup::kNone));

std::unique_ptr<fb::TensorT> append(AlignedBytes& segment, const char* name, const Extents& shape, fb::Dtype dtype,
                                    std::span<const std::byte> bytes) {
  auto tensor = std::make_unique<fb::TensorT>();
  tensor->name = name;
  tensor->dtype = dtype;
  tensor->shape.assign(shape.begin(), shape.end());
  tensor->segment = 1;
  tensor->offset = segment.append(bytes);
  return tensor;
}

}  // namespace

Extents with_batch(int64_t batch, const Shape& shape) {
  Extents extents = {batch};
  extents.insert(extents.end(), shape.dims, shape.dims + shape.rank);
  return extents;
}

Executor make_executor(const Model& model, std::span<const int32_t> replay_routes) {
  ExecutorOptions options;
  options.threads = static_cast<int>(std::clamp(std::thread::hardware_concurrency(), 1u, kMaxThreads));
  options.trace = Trace::kRouting;
  options.replay_routes = replay_routes;
  Result<Executor> executor = Executor::create(model, options);
  check(executor.status(), "the converted model cannot be run");
  return std::move(*executor);
}

double error_given_routes(const Model& model, const GoldenData& golden) {
  Executor executor = make_executor(model, golden.routes);
  std::vector<float> logits(golden.logits.size());
  check(executor.run(golden.input, logits), "the converted model cannot be run");
  double error = 0;
  for (size_t i = 0; i < logits.size(); ++i)
    error = std::max(error, std::fabs(double(logits[i]) - double(golden.logits[i])));
  return error;
}

void attach_golden(const GoldenData& golden, const Model& model, BuiltModel& built) {
  AlignedBytes segment;
  auto entry = std::make_unique<fb::GoldenT>();
  const auto routes = static_cast<int64_t>(golden.routes.size());
  entry->batch = static_cast<uint32_t>(golden.batch);
  entry->input = append(segment, "input", with_batch(golden.batch, model.input_shape()), fb::Dtype::f32,
                        std::as_bytes(std::span(golden.input)));
  entry->logits = append(segment, "logits", {golden.batch, model.classes()}, fb::Dtype::f32,
                         std::as_bytes(std::span(golden.logits)));
  if (routes > 0)
    entry->routes = append(segment, "routes", {routes}, fb::Dtype::i32, std::as_bytes(std::span(golden.routes)));
  entry->seed = golden.seed;
  entry->top1_margin = golden.top1_margin;
  entry->capacity_margin = golden.capacity_margin;
  entry->origin = golden.from_trainer ? fb::GoldenOrigin::trainer : fb::GoldenOrigin::reference;
  entry->capacity_group = to_schema(model.capacity_group());
  built.graph->goldens.push_back(std::move(entry));
  built.segments.push_back(std::move(segment));
}

}  // namespace moefb::convert
