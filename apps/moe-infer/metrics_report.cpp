#include "apps/moe-infer/metrics_report.h"

#include <cmath>
#include <utility>
#include <vector>

#include "apps/common/table.h"
#include "apps/common/text.h"
#include "moefb/inspect.h"

namespace moefb::infer {
namespace {

using apps::format;

std::vector<int> published_layers(const Model& model) {
  std::vector<int> layers;
  for (int i = 0; i < stage_count(model); ++i) {
    const StageInfo stage = stage_info(model, i);
    if (stage.is_moe && stage.published_layer >= 0) layers.push_back(stage.published_layer);
  }
  return layers;
}

std::vector<std::pair<const char*, double>> values_of(const LayerMetrics& m) {
  return {{"tokens", m.tokens},
          {"dropped", m.dropped},
          {"capacity", m.capacity},
          {"drop_rate", m.drop_rate},
          {"capacity_efficiency", m.capacity_efficiency},
          {"entropy_norm", m.entropy_norm},
          {"cov_usage", m.cov_usage},
          {"gini", m.gini},
          {"imbalance", m.imbalance},
          {"mean_capacity_ratio", m.mean_capacity_ratio},
          {"avg_gate", m.avg_gate},
          {"dead", m.dead},
          {"active", m.active},
          {"spec_entropy", m.spec_entropy},
          {"spec_entropy_ema", m.spec_entropy_ema},
          {"logits_std", m.logits_std},
          {"logits_std_ema", m.logits_std_ema}};
}

std::string layers_table(const RouterMetrics& metrics, const Model& model) {
  apps::Table table("rrrrrrrrrrr", 2);
  table.add({"layer", "dropped", "efficiency", "entropy", "CoV", "Gini", "imbalance", "gate", "dead", "spec. entropy",
             "logits std"});
  const std::vector<int> published = published_layers(model);
  for (int i = 0; i < metrics.layers(); ++i) {
    const LayerMetrics m = metrics.layer(i);
    table.add({std::to_string(published[size_t(i)]), format("%.2f %%", 100 * m.drop_rate),
               format("%.3f", m.capacity_efficiency), format("%.3f", m.entropy_norm), format("%.3f", m.cov_usage),
               format("%.3f", m.gini), format("%.4g", m.imbalance), format("%.3f", m.avg_gate), format("%.0f", m.dead),
               format("%.3f", m.spec_entropy), format("%.3f", m.logits_std)});
  }
  return table.text();
}

std::string number(double value) {
  return std::isfinite(value) ? format("%.9g", value) : "null";
}

std::string layer_json(int published, const LayerMetrics& m) {
  std::string text = "{\"layer\": " + std::to_string(published) + ", \"usage\": [";
  for (size_t e = 0; e < m.usage.size(); ++e) text += (e == 0 ? "" : ", ") + number(m.usage[e]);
  text += "]";
  for (const auto& [name, value] : values_of(m)) text += format(", \"%s\": ", name) + number(value);
  return text + "}";
}

}  // namespace

std::string metrics_text(const RouterMetrics& metrics, const Model& model, int64_t pictures) {
  apps::Table summary("lr", 2);
  for (const NamedMetric& metric : metrics.summary()) summary.add({metric.name, format("%.6g", metric.value)});
  return "router metrics over " + apps::count_text(uint64_t(pictures), "picture") + '\n' +
         layers_table(metrics, model) + "all layers, under the published names\n" + summary.text();
}

std::string metrics_json(const RouterMetrics& metrics, const Model& model, int64_t pictures) {
  std::string line = "{\"pictures\": " + std::to_string(pictures) + ", \"metrics\": {";
  const char* comma = "";
  for (const NamedMetric& metric : metrics.summary()) {
    line += format("%s\"%s\": ", comma, metric.name) + number(metric.value);
    comma = ", ";
  }
  line += "}, \"layers\": [";
  const std::vector<int> published = published_layers(model);
  for (int i = 0; i < metrics.layers(); ++i) {
    line += (i == 0 ? "" : ", ") + layer_json(published[size_t(i)], metrics.layer(i));
  }
  return line + "]}\n";
}

}  // namespace moefb::infer
