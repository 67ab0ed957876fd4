#include "trainer/models/model_config.h"

#include <nlohmann/json.hpp>

namespace moefb::trainer {
namespace {

const std::vector<std::string> kHeads = {"dense", "soft", "sparse", "hard"};
const std::vector<std::string> kMaskRules = {"threshold", "index"};
const std::vector<std::string> kCombineWeights = {"published", "gate"};
const std::vector<std::string> kLoadEstimators = {"mass", "smooth"};

constexpr int64_t kMaxExtent = 1 << 16;
constexpr double kMaxDropout = 0.999;

void read_sizes(Settings& settings, ModelConfig& config) {
  config.kind = settings.text("kind", config.kind);
  config.num_classes = settings.integer("num_classes", config.num_classes, 1, kMaxExtent);
  config.image = settings.integer("image", config.image, 1, 4096);
  config.width0 = settings.integer("width0", config.width0, 1, 1024);
  const bool has_backbone = config.kind == "cifar_e2e" || settings.has("width0");
  config.in_dim = settings.integer("in_dim", 8 * config.width0, 1, kMaxExtent);
  if (has_backbone && config.in_dim != 8 * config.width0) {
    settings.fail("in_dim", "expected " + std::to_string(8 * config.width0) + ", 8 times width0, found " +
                                std::to_string(config.in_dim));
  }
}

// All keys are read whatever the head, so that `--set head=dense` works on a file made for a sparse one.
void read_head(Settings& settings, ModelConfig& config) {
  const size_t head = settings.choice("head", size_t(config.head), kHeads);
  const bool hard = kHeads[head] == "hard";
  config.head = hard ? HeadKind::kSparse : HeadKind(head);
  config.width = settings.integer("width", config.width, 1, kMaxExtent);
  config.num_experts = settings.integer("num_experts", config.num_experts, 1, 1024);
  config.hidden_mult = settings.number("hidden_mult", config.hidden_mult, 0, 64);
  config.k = settings.integer("k", hard ? 1 : config.k, 1, 1024);
  if (hard && config.k != 1) settings.fail("k", "a hard head has k 1, found " + std::to_string(config.k));
  config.temperature = settings.number("temperature", config.temperature, 1e-6, 1e6);
  config.mask_rule = MaskRule(settings.choice("mask_rule", size_t(config.mask_rule), kMaskRules));
  config.combine_weight =
      CombineWeight(settings.choice("combine_weight", size_t(config.combine_weight), kCombineWeights));
}

void read_regularisation(Settings& settings, ModelConfig& config) {
  config.dropout_p = settings.number("dropout_p", config.dropout_p, 0, kMaxDropout);
  config.gate_input_dropout = settings.number("gate_input_dropout", config.dropout_p, 0, kMaxDropout);
  config.gate_logits_dropout = settings.number("gate_logits_dropout", config.dropout_p, 0, kMaxDropout);
  config.importance_coef = settings.number("importance_coef", config.importance_coef, 0, 1e6);
  config.load_coef = settings.number("load_coef", config.load_coef, 0, 1e6);
  config.load_estimator =
      LoadEstimator(settings.choice("load_estimator", size_t(config.load_estimator), kLoadEstimators));
  config.kl_coef = settings.number("kl_coef", config.kl_coef, 0, 1e6);
}

void check(const Settings& settings, const ModelConfig& config) {
  if (config.head == HeadKind::kDense) return;
  if (config.hidden() < 1) {
    settings.fail("hidden_mult", "gives experts without a hidden unit: in_dim is " + std::to_string(config.in_dim));
  }
  if (config.head != HeadKind::kSparse) return;
  if (config.num_experts < 2) {
    settings.fail("num_experts", "a sparse head needs at least 2: its scores are standardised over the experts");
  }
  if (config.k > config.num_experts) {
    settings.fail("k", "expected at most num_experts, " + std::to_string(config.num_experts) + ", found " +
                           std::to_string(config.k));
  }
  if (config.combine_weight == CombineWeight::kGate && config.k != 1) {
    settings.fail("combine_weight", "gate is for k 1, found k " + std::to_string(config.k));
  }
  if (config.load_estimator == LoadEstimator::kSmooth && config.k == config.num_experts) {
    settings.fail("load_estimator", "smooth is for k below num_experts: with all of them nobody is left out");
  }
}

}  // namespace

ModelConfig read_model_config(Settings& settings) {
  ModelConfig config;
  read_sizes(settings, config);
  read_head(settings, config);
  read_regularisation(settings, config);
  check(settings, config);
  return config;
}

void write_model_config(const ModelConfig& config, nlohmann::ordered_json& json) {
  json["kind"] = config.kind;
  json["head"] = kHeads[size_t(config.head)];
  json["num_classes"] = config.num_classes;
  json["image"] = config.image;
  json["width0"] = config.width0;
  json["in_dim"] = config.in_dim;
  if (config.head == HeadKind::kDense) {
    json["width"] = config.width;
    return;
  }
  json["num_experts"] = config.num_experts;
  json["hidden_mult"] = config.hidden_mult;
  json["temperature"] = config.temperature;
  json["dropout_p"] = config.dropout_p;
  json["gate_input_dropout"] = config.gate_input_dropout;
  json["gate_logits_dropout"] = config.gate_logits_dropout;
  if (config.head == HeadKind::kSoft) {
    json["kl_coef"] = config.kl_coef;
    return;
  }
  json["k"] = config.k;
  json["importance_coef"] = config.importance_coef;
  json["load_coef"] = config.load_coef;
  json["mask_rule"] = kMaskRules[size_t(config.mask_rule)];
  // Only where it is not as published: it says nothing to readers that do not train.
  if (config.load_estimator != LoadEstimator::kMass) {
    json["load_estimator"] = kLoadEstimators[size_t(config.load_estimator)];
  }
  json["combine_weight"] = kCombineWeights[size_t(config.combine_weight)];
}

}  // namespace moefb::trainer
