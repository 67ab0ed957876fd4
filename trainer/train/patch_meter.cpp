#include "trainer/train/patch_meter.h"

#include <ATen/ATen.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace moefb::trainer {
namespace {

void require(const Status& status) {
  char text[256];
  if (!status.ok()) throw std::runtime_error(std::string("router metrics: ") + status.describe(text, sizeof(text)));
}

RouterMetrics make_metrics(int64_t moe_layers, int64_t experts) {
  Result<RouterMetrics> metrics = RouterMetrics::create(std::vector<int>(size_t(moe_layers), int(experts)));
  require(metrics.status());
  return std::move(*metrics);
}

std::vector<int64_t> moe_indices(int64_t count) {
  std::vector<int64_t> indices;
  for (int64_t layer = 0; int64_t(indices.size()) < count; ++layer) {
    if (PatchNetConfig::is_moe(layer)) indices.push_back(layer);
  }
  return indices;
}

template <typename T>
std::span<const T> view(const at::Tensor& tensor) {
  return {tensor.const_data_ptr<T>(), size_t(tensor.numel())};
}

nlohmann::ordered_json layer_record(int64_t index, const LayerMetrics& layer) {
  return {
      {"layer", index},
      {"usage", std::vector<double>(layer.usage.begin(), layer.usage.end())},
      {"tokens", layer.tokens},
      {"dropped", layer.dropped},
      {"capacity", layer.capacity},
      {"drop_rate", layer.drop_rate},
      {"entropy_norm", layer.entropy_norm},
      {"cov_usage", layer.cov_usage},
      {"gini", layer.gini},
      {"imbalance", layer.imbalance},
      {"dead", layer.dead},
      {"spec_entropy", layer.spec_entropy},
      {"logits_std", layer.logits_std},
  };
}

}  // namespace

PatchMeter::PatchMeter(int64_t moe_layers, int64_t experts)
    : metrics_(make_metrics(moe_layers, experts)), layers_(moe_indices(moe_layers)) {}

void PatchMeter::add(const NetworkOutput& out) {
  for (size_t i = 0; i < out.routing.size(); ++i) {
    const Routing& routing = out.routing[i].routing;
    const at::Tensor logits = routing.scaled_logits.detach().to(at::kCPU, at::kFloat).contiguous();
    const at::Tensor weight = routing.weight.detach().to(at::kCPU, at::kFloat).contiguous();
    const at::Tensor expert = routing.expert.to(at::kCPU).contiguous();
    RoutedBatch batch;
    batch.scaled_logits = view<float>(logits);
    batch.assigned_expert = view<int64_t>(expert);
    batch.combine_weight = view<float>(weight);
    batch.capacity = routing.capacity * routing.groups;
    batch.logits_std = routing.logits_std.item<double>();
    require(metrics_.add(int(i), batch));
  }
}

nlohmann::ordered_json PatchMeter::record() const {
  nlohmann::ordered_json router;
  for (const NamedMetric& metric : metrics_.summary()) router[metric.name] = metric.value;
  for (int i = 0; i < metrics_.layers(); ++i) {
    router["layers"].push_back(layer_record(layers_[size_t(i)], metrics_.layer(i)));
  }
  return {{"router", router}};
}

std::string PatchMeter::describe() const {
  std::string text = "share of the kept tokens that each expert took, in %\n";
  char word[64];
  for (int i = 0; i < metrics_.layers(); ++i) {
    const LayerMetrics layer = metrics_.layer(i);
    std::snprintf(word, sizeof(word), "layer %2ld:", long(layers_[size_t(i)]));
    text += word;
    const double kept = layer.tokens - layer.dropped;
    for (const double used : layer.usage) {
      std::snprintf(word, sizeof(word), " %5.1f", kept > 0 ? 100 * used / kept : 0);
      text += word;
    }
    std::snprintf(word, sizeof(word), "   dropped %.1f %%\n", 100 * layer.drop_rate);
    text += word;
  }
  return text;
}

std::vector<double> PatchMeter::sums() const {
  return {metrics_.sums().begin(), metrics_.sums().end()};
}

void PatchMeter::set_sums(const std::vector<double>& sums) {
  require(metrics_.set_sums(sums));
}

}  // namespace moefb::trainer
