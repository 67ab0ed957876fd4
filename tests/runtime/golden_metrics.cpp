// The published aggregator's numbers: from the stored tensors of every fixture that has them, and from the runtime's
// own trace where the fixture is a model.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "golden_models.h"
#include "moefb/executor.h"
#include "moefb/inspect.h"
#include "moefb/metrics.h"

namespace moefb {
namespace {

using golden::Fixture;

constexpr double kRelative = 1e-6;  // docs/design.md, section 6

double f64_scalar(const safetensors::Tensor& tensor) {
  double value = 0;
  if (tensor.dtype != "F64" || tensor.data.size() != sizeof value) throw std::runtime_error("expected one F64");
  std::memcpy(&value, tensor.data.data(), sizeof value);
  return value;
}

void expect_published(const RouterMetrics& metrics, const safetensors::File& io) {
  size_t compared = 0;
  for (const NamedMetric& metric : metrics.summary()) {
    const auto found = io.tensors.find(std::string("metric.") + metric.name);
    if (found == io.tensors.end()) {
      ADD_FAILURE() << "the fixture has no " << metric.name;
      continue;
    }
    const double want = f64_scalar(found->second);
    EXPECT_NEAR(metric.value, want, kRelative * std::fabs(want)) << metric.name;
    ++compared;
  }
  const auto stored = std::count_if(io.tensors.begin(), io.tensors.end(),
                                    [](const auto& entry) { return entry.first.starts_with("metric."); });
  EXPECT_EQ(compared, size_t(stored));
}

RouterMetrics make(const std::vector<int>& experts) {
  Result<RouterMetrics> made = RouterMetrics::create(experts);
  if (!made.ok()) throw std::runtime_error(made.status().text());
  return std::move(*made);
}

/// The compact form of one layer's routing.
struct Routed {
  std::vector<float> logits, weights;
  std::vector<int64_t> experts;
  int64_t capacity = 0;
  double logits_std = 0;

  RoutedBatch view() const { return {logits, experts, weights, capacity, logits_std}; }
};

/// From the published dense form: (N, E, capacity) flags and weights, one entry per kept token.
Routed from_dense(const safetensors::File& io, const std::string& prefix) {
  const auto tensor = [&](const char* leaf) -> const safetensors::Tensor& { return io.tensors.at(prefix + leaf); };
  const auto& dispatch = tensor("dispatch");
  const int64_t N = dispatch.shape[0], E = dispatch.shape[1], slots = dispatch.shape[2];
  const std::vector<int64_t> flags = dispatch.to_i64();
  const std::vector<float> weights = tensor("combine").to_f32();
  Routed r{tensor("logits").to_f32(), std::vector<float>(size_t(N)), std::vector<int64_t>(size_t(N), -1), slots,
           double(tensor("logits_std").to_f32().at(0))};
  for (int64_t at = 0; at < N * E * slots; ++at) {
    if (flags[size_t(at)] == 0) continue;
    r.experts[size_t(at / (E * slots))] = at / slots % E;
    r.weights[size_t(at / (E * slots))] = weights[size_t(at)];
  }
  return r;
}

Routed from_compact(const safetensors::File& io, const std::string& prefix) {
  const auto tensor = [&](const char* leaf) -> const safetensors::Tensor& { return io.tensors.at(prefix + leaf); };
  return {tensor("scaled_logits").to_f32(), tensor("combine_weight").to_f32(), tensor("assigned_expert").to_i64(),
          tensor("capacity").to_i64().at(0), double(tensor("logits_std").to_f32().at(0))};
}

bool is_three_batches(const Fixture& f) {
  return f.kind() == "patch_metrics";
}
bool is_model(const Fixture& f) {
  return f.kind() == "patch_net" && f.config.value("mode", "eval") == "eval" &&
         f.config.value("current_epoch", 10) >= 10;
}

bool has_metrics(const Fixture& f) {
  return (f.kind() == "patch_net" || is_three_batches(f)) && f.io().tensors.contains("metric.drop_rate");
}

std::vector<Fixture> select(bool (*wanted)(const Fixture&)) {
  std::vector<Fixture> chosen;
  for (Fixture& f : golden::all_fixtures()) {
    if (has_metrics(f) && wanted(f)) chosen.push_back(std::move(f));
  }
  return chosen;
}

std::string parameter_name(const testing::TestParamInfo<Fixture>& info) {
  return golden::test_name(info.param);
}

class MetricsFixture : public testing::TestWithParam<Fixture> {};

TEST_P(MetricsFixture, ThreeBatchesAgreeWithPublishedAggregator) {
  const Fixture& f = GetParam();
  const safetensors::File io = f.io();
  const std::vector<int> per_layer = f.config.at("experts_per_layer");
  std::vector<int> experts;
  for (const int e : per_layer) {
    if (e > 0) experts.push_back(e);
  }
  RouterMetrics metrics = make(experts);
  for (int b = 0; b < f.config.at("batches").get<int>(); ++b) {
    for (size_t published = 0, layer = 0; published < per_layer.size(); ++published) {
      if (per_layer[published] == 0) continue;
      const std::string prefix = "batch" + std::to_string(b) + ".layer" + std::to_string(published) + ".";
      ASSERT_TRUE(metrics.add(int(layer++), from_dense(io, prefix).view()).ok());
    }
  }
  expect_published(metrics, io);
}

INSTANTIATE_TEST_SUITE_P(Golden, MetricsFixture, testing::ValuesIn(select(is_three_batches)), parameter_name);

class StoredRouting : public testing::TestWithParam<Fixture> {};

TEST_P(StoredRouting, AgreesWithPublishedAggregator) {
  const safetensors::File io = GetParam().io();
  std::vector<Routed> layers;
  std::vector<int> experts;
  for (int i = 0; i < 64; ++i) {
    const std::string prefix = "layer" + std::to_string(i) + ".";
    if (!io.tensors.contains(prefix + "assigned_expert")) continue;
    layers.push_back(from_compact(io, prefix));
    experts.push_back(int(io.tensors.at(prefix + "scaled_logits").shape[1]));
  }
  ASSERT_FALSE(layers.empty());
  RouterMetrics metrics = make(experts);
  for (size_t i = 0; i < layers.size(); ++i) ASSERT_TRUE(metrics.add(int(i), layers[i].view()).ok());
  expect_published(metrics, io);
}

INSTANTIATE_TEST_SUITE_P(Golden, StoredRouting,
                         testing::ValuesIn(select([](const Fixture& f) { return !is_three_batches(f); })),
                         parameter_name);

class TracedMetrics : public testing::TestWithParam<Fixture> {};

TEST_P(TracedMetrics, AgreeWithPublishedAggregator) {
  const Fixture& f = GetParam();
  const golden::Converted file(f);
  const safetensors::File io = f.io();
  const std::vector<float> input = io.tensors.at("input").to_f32();
  const int batch = int(io.tensors.at("input").shape[0]);
  for (const Kernels kernels : {Kernels::kReference, Kernels::kAuto}) {
    const Model model = golden::load(file.path(), kernels, batch);
    Result<RouterMetrics> metrics = RouterMetrics::create(model);
    ASSERT_TRUE(metrics.ok());
    ExecutorOptions options;
    options.trace = Trace::kRouting;
    auto executor = Executor::create(model, options);
    ASSERT_TRUE(executor.ok());
    EXPECT_EQ(metrics->add(*executor).code(), Code::kInvalidArgument) << "nothing has run yet";
    std::vector<float> logits(size_t(batch) * size_t(model.classes()));
    ASSERT_TRUE(executor->run(input, logits).ok());
    ASSERT_TRUE(metrics->add(*executor).ok());
    expect_published(*metrics, io);
  }
}

TEST_P(TracedMetrics, UnderGroupImageCapacitiesAddUpOverImages) {
  const Fixture& f = GetParam();
  const golden::Converted file(f);
  const safetensors::File io = f.io();
  const std::vector<float> input = io.tensors.at("input").to_f32();
  const int batch = int(io.tensors.at("input").shape[0]);
  const Model model = golden::load(file.path(), Kernels::kReference, batch);
  ExecutorOptions options;
  options.trace = Trace::kRouting;
  options.capacity_group = CapacityGroup::kImage;
  auto executor = Executor::create(model, options);
  ASSERT_TRUE(executor.ok());
  auto together = RouterMetrics::create(model), one_by_one = RouterMetrics::create(model);
  ASSERT_TRUE(together.ok() && one_by_one.ok());
  std::vector<float> logits(size_t(batch) * size_t(model.classes()));
  ASSERT_TRUE(executor->run(input, logits).ok());
  ASSERT_TRUE(together->add(*executor).ok());
  const size_t image = input.size() / size_t(batch);
  for (int i = 0; i < batch; ++i) {
    ASSERT_TRUE(
        executor
            ->run(std::span(input).subspan(size_t(i) * image, image), std::span(logits).first(size_t(model.classes())))
            .ok());
    ASSERT_TRUE(one_by_one->add(*executor).ok());
  }
  for (int layer = 0; layer < together->layers(); ++layer) {
    const LayerMetrics a = together->layer(layer), b = one_by_one->layer(layer);
    EXPECT_EQ(a.tokens, b.tokens);
    EXPECT_EQ(a.dropped, b.dropped);
    EXPECT_EQ(a.capacity, b.capacity);
    EXPECT_DOUBLE_EQ(a.capacity_efficiency, b.capacity_efficiency);
    EXPECT_NEAR(a.spec_entropy, b.spec_entropy, 1e-6);
  }
}

INSTANTIATE_TEST_SUITE_P(Golden, TracedMetrics, testing::ValuesIn(select(is_model)), parameter_name);

}  // namespace
}  // namespace moefb
