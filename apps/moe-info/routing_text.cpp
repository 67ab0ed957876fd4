// The routing section: what every MoE layer decides on, a row each; under it the rules, each once with its layers.
#include <algorithm>
#include <utility>
#include <vector>

#include "apps/common/names.h"
#include "apps/common/table.h"
#include "apps/common/text.h"
#include "apps/moe-info/report.h"

namespace moefb::info {
namespace {

struct Layer {
  int stage = 0;
  RouterInfo router;
};

std::vector<Layer> moe_layers(const Model& model) {
  std::vector<Layer> layers;
  for (int i = 0; i < stage_count(model); ++i) {
    const StageInfo stage = stage_info(model, i);
    if (stage.is_moe) layers.push_back({i, stage.router});
  }
  return layers;
}

bool has_capacity(const RouterInfo& r) {
  return r.capacity_factor > 0 && r.capacity_group != CapacityGroup::kNone;
}

std::string token_text(const RouterInfo& r) {
  return r.kind == "patch top-1" ? apps::format("%d x %d patch", r.patch, r.patch) : "image";
}

/// Slots of an expert, over its fair share of the tokens.
std::string capacity_text(const RouterInfo& r) {
  if (!has_capacity(r)) return "no limit";
  return apps::format("%g x share of the ", r.capacity_factor) + apps::name_of(r.capacity_group);
}

std::string numbers_text(const std::vector<Layer>& layers) {
  apps::Table table("rlrrlrrrl", 2);
  table.add({"stage", "choice", "experts", "k", "token", "per image", "features", "temperature", "capacity"});
  for (const auto& [stage, r] : layers) {
    table.add({std::to_string(stage), std::string(r.kind), std::to_string(r.experts), std::to_string(r.top_k),
               token_text(r), std::to_string(r.tokens_per_image), std::to_string(r.features),
               apps::short_number(r.temperature), capacity_text(r)});
  }
  return table.text();
}

std::string combine_text(const RouterInfo& r) {
  if (r.kind == "soft") return "answers are added up, weighted by the gate";
  return r.combine == "gate" ? "answers are weighted by the gate" : "answers are weighted as published";
}

std::string drop_text(const RouterInfo& r) {
  if (!has_capacity(r)) return {};
  return r.drop_policy == "residual" ? ", a dropped token passes unchanged" : ", a dropped token takes its next choice";
}

std::string rule_text(const RouterInfo& r) {
  const std::string mask = r.kind == "top-k" ? ", scores are masked by " + std::string(r.mask_rule) : "";
  return combine_text(r) + mask + drop_text(r) + (r.crop_padding ? ", padding is cropped" : "");
}

/// A row for each thing that `text` says of a layer; where layers differ, with the stages it holds for.
template <typename Text>
void add_grouped(apps::Table& table, const char* title, const std::vector<Layer>& layers, Text text) {
  std::vector<std::pair<std::string, std::string>> said;  // what, of which stages
  for (const Layer& layer : layers) {
    const std::string what = text(layer.router);
    const auto known = std::find_if(said.begin(), said.end(), [&](const auto& s) { return s.first == what; });
    const std::string stage = std::to_string(layer.stage);
    if (known == said.end()) {
      said.emplace_back(what, stage);
    } else {
      known->second += ", " + stage;
    }
  }
  for (const auto& [what, stages] : said) {
    table.add({std::exchange(title, ""), what + (said.size() > 1 ? " (stage " + stages + ")" : "")});
  }
}

}  // namespace

std::string routing_text(const Model& model) {
  const std::vector<Layer> layers = moe_layers(model);
  if (layers.empty()) return "  none, this model is dense\n";
  apps::Table rules("ll", 2);
  add_grouped(rules, "rule", layers, rule_text);
  add_grouped(rules, "expert", layers, [](const RouterInfo& r) { return std::string(r.expert_body); });
  add_grouped(rules, "", layers,
              [](const RouterInfo& r) { return apps::count_text(r.expert_parameters, "parameter") + " each"; });
  return numbers_text(layers) + rules.text();
}

}  // namespace moefb::info
