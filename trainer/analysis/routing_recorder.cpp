#include "trainer/analysis/routing_recorder.h"

#include <ATen/ATen.h>

#include <numeric>

#include "trainer/analysis/patch_places.h"

namespace moefb::trainer {
namespace {

void append(const at::Tensor& values, std::vector<int32_t>& to) {
  const at::Tensor flat = values.to(at::kInt).contiguous();
  to.insert(to.end(), flat.const_data_ptr<int32_t>(), flat.const_data_ptr<int32_t>() + flat.numel());
}

void append(const at::Tensor& values, std::vector<float>& to) {
  const at::Tensor flat = values.to(at::kFloat).contiguous();
  to.insert(to.end(), flat.const_data_ptr<float>(), flat.const_data_ptr<float>() + flat.numel());
}

Rows rows_of(const at::Tensor& table) {
  Rows rows;
  const auto* values = table.const_data_ptr<double>();
  for (int64_t row = 0; row < table.size(0); ++row) {
    rows.emplace_back(values + row * table.size(1), values + (row + 1) * table.size(1));
  }
  return rows;
}

}  // namespace

bool RoutingRecorder::has_experts(const NetworkConfig& config) {
  if (const auto* cifar = std::get_if<ModelConfig>(&config)) return cifar->head != HeadKind::kDense;
  return std::holds_alternative<PatchNetConfig>(config);
}

RoutingRecorder::RoutingRecorder(const NetworkConfig& config)
    : classes_(std::visit([](const auto& one) { return one.num_classes; }, config)) {
  if (const auto* patches = std::get_if<PatchNetConfig>(&config)) {
    meter_.emplace(patches->moe_layers(), patches->num_experts);
    for (const PatchPlaces& places : patch_places(*patches)) {
      Layer& layer = layers_.emplace_back(patches->num_experts);
      layer.choices.layer = places.layer;
      layer.choices.rows = places.rows;
      layer.choices.columns = places.columns;
      layer.kept.resize(size_t(patches->num_experts));
    }
    return;
  }
  const auto& cifar = std::get<ModelConfig>(config);
  head_temperature_ = cifar.temperature;
  layers_.emplace_back(cifar.num_experts).choices.top_k = cifar.head == HeadKind::kSparse ? cifar.k : cifar.num_experts;
}

void RoutingRecorder::add(const NetworkOutput& out, const at::Tensor& labels) {
  if (!meter_) {
    probs_.push_back(out.head.probs);
    labels_.push_back(labels);
    return add_head(out.head);
  }
  meter_->add(out);
  for (size_t i = 0; i < layers_.size(); ++i) add_patches(layers_[i], out.routing.at(i).routing);
}

void RoutingRecorder::Layer::add(const at::Tensor& first, const at::Tensor& sureness, const at::Tensor& probs) {
  append(first, choices.first);
  append(sureness, choices.sureness);
  stats.add(probs);
}

// The mixture weights of a sparse head are a softmax over its k best scores: 1 for k = 1, however close the second
// best.
void RoutingRecorder::add_head(const HeadOutput& out) {
  Layer& layer = layers_.front();
  if (!out.topk_idx.defined()) {
    const auto [sureness, first] = out.probs.max(1);
    return layer.add(first, sureness, out.probs);
  }
  const at::Tensor first = out.topk_idx.select(1, 0);
  const at::Tensor all = at::softmax(out.gate_scores / head_temperature_, 1);
  layer.add(first, all.gather(1, first.unsqueeze(1)).squeeze(1), out.probs);
  if (layer.choices.top_k > 1) append(out.topk_idx, layer.choices.chosen);
}

void RoutingRecorder::add_patches(Layer& layer, const Routing& routing) {
  const auto [sureness, first] = routing.probs.max(1);
  layer.add(first, sureness, routing.probs);
  const at::Tensor kept = at::bincount(routing.expert + 1, {}, layer.choices.experts + 1).to(at::kDouble);
  for (size_t e = 0; e < layer.kept.size(); ++e) layer.kept[e] += kept.const_data_ptr<double>()[e + 1];
}

std::vector<RoutedLayer> RoutingRecorder::layers() const {
  std::vector<RoutedLayer> result;
  for (const Layer& layer : layers_) {
    RoutedLayer& one = result.emplace_back();
    one.choices = layer.choices;
    one.utilisation = layer.stats.utilisation();
    one.entropy = layer.stats.entropy();
    one.load = layer.stats.load();
    if (!meter_) continue;
    for (size_t e = 0; e < layer.kept.size(); ++e) one.load[e] = layer.kept[e] / double(layer.choices.tokens());
    one.dropped = layer.choices.tokens() - int64_t(std::accumulate(layer.kept.begin(), layer.kept.end(), 0.0));
  }
  if (!meter_) result.front().class_mixture = rows_of(class_expert_mean(at::cat(probs_), at::cat(labels_), classes_));
  return result;
}

nlohmann::ordered_json RoutingRecorder::router_metrics() const {
  if (!meter_) return nullptr;
  return meter_->record().at("router");
}

}  // namespace moefb::trainer
