#include "trainer/analysis/routing_report.h"

#include "trainer/analysis/routing_tables.h"

namespace moefb::trainer {
namespace {

using nlohmann::ordered_json;

constexpr const char* kSwappedNames =
    "imbalance_max and imbalance_min are named as published, which is swapped: _max holds the smallest layer's value, "
    "_min the largest";

std::vector<int64_t> class_counts(const RoutingReport& report) {
  std::vector<int64_t> counts(report.class_names.size());
  for (const int64_t label : report.labels) ++counts[size_t(label)];
  return counts;
}

ordered_json to_json(const Specialisation& found) {
  return {{"mutual_information_bits", found.mutual_information_bits},
          {"of_at_most", found.of_at_most},
          {"chance_mean", found.chance_mean},
          {"chance_p95", found.chance_p95},
          {"p_value", found.p_value},
          {"permutations", found.permutations}};
}

Rows class_expert(const RoutingReport& report, const RoutedLayer& layer) {
  if (!layer.class_mixture.empty()) return layer.class_mixture;
  return row_shares(class_table(picture_table(layer.choices), report.labels, report.classes()));
}

ordered_json layer_json(const RoutingReport& report, size_t index) {
  const RoutedLayer& layer = report.layers[index];
  const LayerChoices& choices = layer.choices;
  ordered_json json = {{"layer", choices.layer},
                       {"experts", choices.experts},
                       {"tokens", choices.tokens()},
                       {"dropped", layer.dropped},
                       {"utilisation", layer.utilisation},
                       {"load", layer.load},
                       {"entropy", layer.entropy},
                       {"class_expert", class_expert(report, layer)},
                       {"class_counts", class_counts(report)},
                       {"specialisation", to_json(report.specialisation[index])}};
  if (!choices.chosen.empty()) json["coactivation"] = coactivation(choices);
  if (choices.layer < 0) return json;
  json["position_expert"] = row_shares(position_table(choices));
  json["grid"] = {choices.rows, choices.columns};
  json["router"] = report.router.at("layers").at(index);
  for (const char* key : {"layer", "usage"}) json["router"].erase(key);  // the layer's own `layer` and `load`
  return json;
}

ordered_json transitions_json(const RoutingReport& report) {
  ordered_json list = ordered_json::array();
  for (size_t i = 1; i < report.layers.size(); ++i) {
    const LayerChoices& from = report.layers[i - 1].choices;
    const LayerChoices& to = report.layers[i].choices;
    list.push_back({{"from", from.layer}, {"to", to.layer}, {"share", row_shares(transition_table(from, to))}});
  }
  return list;
}

ordered_json stability_json(const std::vector<StabilityStep>& steps) {
  ordered_json list = ordered_json::array();
  for (const StabilityStep& step : steps) {
    ordered_json layers;
    for (const Stability& layer : step.layers) layers.push_back({{"layer", layer.layer}, {"same", layer.same}});
    list.push_back({{"from_epoch", step.from.epoch},
                    {"to_epoch", step.to.epoch},
                    {"from", step.from.file},
                    {"to", step.to.file},
                    {"layers", layers}});
  }
  return list;
}

ordered_json examples_json(const std::vector<ExampleSheet>& sheets) {
  ordered_json list = ordered_json::array();
  for (const ExampleSheet& sheet : sheets) {
    list.push_back(
        {{"layer", sheet.layer}, {"expert", sheet.expert}, {"file", sheet.file}, {"pictures", sheet.pictures}});
  }
  return list;
}

template <typename... Values>
std::string format(const char* text, Values... values) {
  char line[256];
  std::snprintf(line, sizeof(line), text, values...);
  return line;
}

std::string layer_name(int64_t layer) {
  return layer < 0 ? "head" : std::to_string(layer);
}

std::string layer_line(const RoutedLayer& layer, const Specialisation& found) {
  std::string line =
      format("%5s  %5.3f   %5.1f %%   %5.3f of %5.3f     %5.3f  %6.4f    ", layer_name(layer.choices.layer).c_str(),
             layer.entropy, 100 * double(layer.dropped) / double(layer.choices.tokens()), found.mutual_information_bits,
             found.of_at_most, found.chance_p95, found.p_value);
  for (const double share : layer.load) line += format(" %4.1f", 100 * share);
  return line + "\n";
}

std::string stability_lines(const std::vector<StabilityStep>& steps) {
  std::string text;
  for (const StabilityStep& step : steps) {
    text += format("same first expert in epochs %ld and %ld, in %%:", long(step.from.epoch), long(step.to.epoch));
    for (const Stability& layer : step.layers) {
      text += format("  %s %.1f", layer_name(layer.layer).c_str(), 100 * layer.same);
    }
    text += "\n";
  }
  return text;
}

}  // namespace

ordered_json to_json(const RoutingReport& report) {
  ordered_json layers;
  for (size_t i = 0; i < report.layers.size(); ++i) layers.push_back(layer_json(report, i));
  ordered_json json = {{"format", 1},
                       {"kind", report.kind},
                       {"pictures", report.pictures()},
                       {"class_names", report.class_names},
                       {"layers", layers},
                       {"transitions", transitions_json(report)}};
  if (!report.router.is_null()) {
    json["router"] = report.router;
    json["router"].erase("layers");
    json["router_note"] = kSwappedNames;
  }
  json["stability_pictures"] = report.stability_pictures;
  json["stability"] = stability_json(report.stability);
  json["stability_to_kept"] = stability_json(report.stability_to_kept);
  json["examples"] = examples_json(report.examples);
  return json;
}

std::string describe(const RoutingReport& report) {
  std::string text = format("routing of %ld test pictures\n", long(report.pictures()));
  text += "layer  entropy  dropped  class information  chance 95%  p          experts' load, in %\n";
  for (size_t i = 0; i < report.layers.size(); ++i) text += layer_line(report.layers[i], report.specialisation[i]);
  return text + "entropy of a token's probabilities in nats; information of class and first expert in bits\n" +
         stability_lines(report.stability);
}

}  // namespace moefb::trainer
