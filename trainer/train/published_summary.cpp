#include "trainer/train/published_summary.h"

#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "converter/atomic_file.h"
#include "converter/strict_json.h"
#include "trainer/data/cifar10.h"

namespace moefb::trainer {
namespace {

const std::vector<std::string> kLayers = {"Dense", "SoftMoE", "SparseMoE"};  // as HeadKind
const std::vector<std::string> kHeads = {"dense", "soft", "sparse"};
constexpr double kAnyNumber = std::numeric_limits<double>::max();
constexpr int64_t kAnyInteger = std::numeric_limits<int64_t>::max();

/// The keys of a summary, all of which are always there.
class Summary {
 public:
  Summary(const nlohmann::json& json, const std::string& path) : settings_(json, path) {}

  size_t layer() { return settings_.choice(present("FF_layer"), 0, kLayers); }
  double number(const char* key) { return settings_.number(present(key), 0, -kAnyNumber, kAnyNumber); }
  int64_t integer(const char* key) { return settings_.integer(present(key), 0, 0, kAnyInteger); }

 private:
  const char* present(const char* key) {
    if (!settings_.has(key)) settings_.fail(key, "missing; the published training script always writes it");
    return key;
  }

  Settings settings_;
};

/// Python's `a or p`: a rate of 0 falls back to the head's own. The soft head ignores the other rates altogether.
double published_gate_dropout(Summary& summary, HeadKind head, const char* key) {
  const double rate = summary.number(key);
  return head == HeadKind::kSparse && rate != 0 ? rate : summary.number("dropout_p");
}

void add_head(Summary& summary, HeadKind head, nlohmann::json& json) {
  json["head"] = kHeads[size_t(head)];
  if (head == HeadKind::kDense) {
    json["width"] = summary.integer("ff_width");
    return;
  }
  json["num_experts"] = summary.integer("num_experts");
  json["hidden_mult"] = summary.number("hidden_mult");
  json["temperature"] = summary.number("temperature");
  json["dropout_p"] = summary.number("dropout_p");
  json["gate_input_dropout"] = published_gate_dropout(summary, head, "gate_input_dropout");
  json["gate_logits_dropout"] = published_gate_dropout(summary, head, "gate_logits_dropout");
  if (head == HeadKind::kSoft) return;
  json["k"] = summary.integer("sparsemoe_k");
  json["importance_coef"] = summary.number("sparsemoe_importance_coef");
  json["load_coef"] = summary.number("sparsemoe_load_coef");
}

nlohmann::json recipe(Summary& summary) {
  return {
      {"epochs", summary.integer("epochs")},
      {"batch_size", summary.integer("batch_size")},
      {"learning_rate", summary.number("learning_rate")},
      {"momentum", summary.number("momentum")},
      {"weight_decay", summary.number("weight_decay")},
      {"seed", summary.integer("seed")},
      {"precision", "f32"},
  };
}

int64_t stem_channels(const safetensors::File& weights, const std::string& name) {
  const std::string key = "backbone.backbone.conv1.weight";
  const auto stem = weights.tensors.find(key);
  if (stem == weights.tensors.end()) throw std::runtime_error(name + ": tensor " + key + " is missing");
  const std::vector<int64_t>& shape = stem->second.shape;
  if (shape.size() == 4) return shape[0];
  throw std::runtime_error(name + ": tensor " + key + ": expected 4 dimensions, found " + std::to_string(shape.size()));
}

nlohmann::json read_json(const std::string& path) {
  const std::vector<std::byte> bytes = read_file(path);
  return parse_json_object({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path);
}

}  // namespace

RunConfig read_published_summary(const std::string& path, const safetensors::File& weights,
                                 const std::string& weights_name) {
  const nlohmann::json published = read_json(path);
  Summary summary(published, path);
  nlohmann::json json = {{"width0", stem_channels(weights, weights_name)}, {"data", {{"name", "cifar10"}}}};
  add_head(summary, HeadKind(summary.layer()), json);
  json["train"] = recipe(summary);
  RunConfig config = parse_run_config(json, path);
  resolve(config, describe_cifar10());
  return config;
}

}  // namespace moefb::trainer
