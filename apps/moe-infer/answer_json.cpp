// Written by hand around the strings, so that key order and the six digits are fixed.
#include "apps/common/json_text.h"
#include "apps/common/text.h"
#include "apps/moe-infer/answer.h"

namespace moefb::infer {
namespace {

using apps::format;

/// "[a, b]" of what `item` makes of each element.
template <typename T, typename Item>
std::string list(const std::vector<T>& elements, Item item) {
  std::string text = "[";
  for (size_t i = 0; i < elements.size(); ++i) text += (i == 0 ? "" : ", ") + item(elements[i]);
  return text + "]";
}

std::string class_json(const ClassProbability& c) {
  return "{\"class\": " + apps::json_string(c.name) + format(", \"probability\": %.6f}", double(c.probability));
}

std::string expert_json(const ExpertShare& share) {
  return format("{\"expert\": %d, \"weight\": %.6f}", share.expert, double(share.weight));
}

std::string layer_json(const LayerLoad& layer) {
  const std::string tokens = list(layer.tokens, [](int64_t n) { return std::to_string(n); });
  return format("{\"layer\": %d, \"capacity\": %lld, \"tokens\": ", layer.layer, (long long)(layer.capacity)) + tokens +
         format(", \"dropped\": %lld}", (long long)(layer.dropped));
}

}  // namespace

std::string answer_json(const Answer& answer) {
  std::string line = "{\"image\": " + apps::json_string(answer.picture) + ", \"top\": " + list(answer.top, class_json);
  if (answer.routing) {
    const auto& [experts, layers] = *answer.routing;
    line += ", \"routing\": " + (layers.empty() ? list(experts, expert_json) : list(layers, layer_json));
  }
  if (!answer.routing_image.empty()) line += ", \"routing_image\": " + apps::json_string(answer.routing_image);
  return line + "}\n";
}

}  // namespace moefb::infer
