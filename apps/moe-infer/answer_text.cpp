#include "apps/common/table.h"
#include "apps/common/text.h"
#include "apps/moe-infer/answer.h"

namespace moefb::infer {
namespace {

using apps::format;

std::string classes_text(const std::vector<ClassProbability>& top) {
  apps::Table table("lr", 2);
  for (const auto& [name, probability] : top) {
    table.add({apps::printable(name), format("%.2f %%", 100.0 * probability)});
  }
  return table.text();
}

std::string experts_text(const std::vector<ExpertShare>& experts) {
  std::string text = "  experts: ";
  for (size_t i = 0; i < experts.size(); ++i) {
    text += (i == 0 ? "" : ", ") + format("%d (%.1f %%)", experts[i].expert, 100.0 * experts[i].weight);
  }
  return text + '\n';
}

std::string layers_text(const std::vector<LayerLoad>& layers) {
  apps::Table table("rrrl", 2);
  table.add({"layer", "capacity", "dropped", "tokens per expert"});
  for (const LayerLoad& layer : layers) {
    std::string tokens;
    for (const int64_t n : layer.tokens) tokens += (tokens.empty() ? "" : "  ") + format("%3lld", (long long)(n));
    table.add({std::to_string(layer.layer), std::to_string(layer.capacity), std::to_string(layer.dropped), tokens});
  }
  return table.text();
}

std::string routing_text(const Routing& routing) {
  const auto& [experts, layers] = routing;
  if (!layers.empty()) return layers_text(layers);
  return experts.empty() ? "  experts: none, this model is dense\n" : experts_text(experts);
}

}  // namespace

std::string answer_text(const Answer& answer) {
  std::string text = answer.picture + '\n' + classes_text(answer.top);
  if (answer.routing) text += routing_text(*answer.routing);
  if (!answer.routing_image.empty()) text += "  routing drawn in " + answer.routing_image + '\n';
  return text;
}

}  // namespace moefb::infer
