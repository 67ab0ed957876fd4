#include "converter/heads.h"

#include <stdexcept>
#include <utility>

namespace moefb::convert {
namespace {

constexpr float kStandardizeEps = 1e-5f;  // spec, section 6, step 2

Head head_kind(const Config& config) {
  return config.need(config.head, "head", "a model of this kind");
}

/// The gate's key without ".weight": the sparse head has a second gate for its noise.
std::string gate_key(const std::string& prefix, Head head) {
  return prefix + (head == Head::kSoft ? "gate" : "gate.w_gate");
}

/// A weight whose width is that of the features.
std::string feature_key(const Config& config, const std::string& prefix) {
  const Head head = head_kind(config);
  return (head == Head::kDense ? prefix + "fc.0" : gate_key(prefix, head)) + ".weight";
}

uint32_t build_dense(GraphBuilder& builder, const std::string& prefix, uint32_t features) {
  const Config& config = builder.config();
  const StateDict& source = builder.source();
  const int64_t D = builder.nodes().shape(features)[0];
  const int64_t hidden = source.shape(prefix + "fc.0.weight", {kAny, D})[0];
  const int64_t classes = source.shape(prefix + "fc.3.weight", {kAny, hidden})[0];
  config.expect(config.width, "width", hidden, prefix + "fc.0.weight");
  config.expect(config.num_classes, "num_classes", classes, prefix + "fc.3.weight");
  const Affine first = builder.linear(prefix + "fc.0", {hidden, D});
  const Affine second = builder.linear(prefix + "fc.3", {classes, hidden});
  const uint32_t z = builder.nodes().linear(features, first.weight, first.bias, fb::Activation::relu);
  return builder.nodes().linear(z, second.weight, second.bias, fb::Activation::none, "logits");
}

/// Sizes of the experts, all from the first one; the others are checked when they are stacked.
struct ExpertSizes {
  int64_t experts = 0;
  int64_t features = 0;
  int64_t hidden = 0;
  int64_t classes = 0;
  std::string second;  ///< ".net.3" with dropout in training, ".net.2" without
};

ExpertSizes expert_sizes(GraphBuilder& builder, const std::string& prefix, int64_t D) {
  const Config& config = builder.config();
  const StateDict& source = builder.source();
  const std::string experts = prefix + "experts.";
  ExpertSizes sizes;
  sizes.experts = source.children(experts);
  if (sizes.experts == 0)
    throw std::runtime_error(config.path + ": key \"head\" asks for experts, but there is no tensor \"" + experts +
                             "0.net.0.weight\"");
  sizes.features = D;
  sizes.hidden = source.shape(experts + "0.net.0.weight", {kAny, D})[0];
  sizes.second = source.has(experts + "0.net.2.weight") ? ".net.2" : ".net.3";
  const std::string last = experts + "0" + sizes.second + ".weight";
  sizes.classes = source.shape(last, {kAny, sizes.hidden})[0];
  if (config.hidden_mult) {
    config.expect(static_cast<int64_t>(*config.hidden_mult * double(D)), "hidden_mult times the feature width",
                  sizes.hidden, experts + "0.net.0.weight");
  }
  config.expect(config.num_classes, "num_classes", sizes.classes, last);
  return sizes;
}

std::unique_ptr<fb::RouterT> soft_router(const Config& config, int64_t experts) {
  auto router = std::make_unique<fb::RouterT>();
  router->kind = fb::RouterKind::soft;
  router->top_k = static_cast<uint32_t>(experts);
  router->temperature = static_cast<float>(config.need(config.temperature, "temperature", "a soft head"));
  return router;
}

std::unique_ptr<fb::RouterT> sparse_router(const Config& config, int64_t experts) {
  if (experts < 2) throw std::runtime_error(config.path + ": a sparse head has 1 expert, expected at least 2");
  const int64_t k = config.need(config.k, "k", "a sparse head");
  if (k > experts) {
    throw std::runtime_error(config.path + ": key \"k\" is " + std::to_string(k) + ", but there are " +
                             std::to_string(experts) + " experts");
  }
  if (config.combine == fb::CombineRule::gate && k != 1) {
    throw std::runtime_error(config.path +
                             ": key \"combine_weight\" is gate, which needs k = 1, found k = " + std::to_string(k));
  }
  auto router = std::make_unique<fb::RouterT>();
  router->kind = fb::RouterKind::top_k;
  router->top_k = static_cast<uint32_t>(k);
  router->score_norm = std::make_unique<fb::NormT>();
  router->score_norm->kind = fb::NormKind::standardize;
  router->score_norm->eps = kStandardizeEps;
  router->score_norm->unbiased = true;
  router->temperature = static_cast<float>(config.need(config.temperature, "temperature", "a sparse head"));
  router->mask_rule = config.mask_rule;
  router->combine = config.combine;
  return router;
}

/// (D) -> relu (H) -> (classes). @return the writer of the body
NodeWriter build_experts(GraphBuilder& builder, const std::string& prefix, const ExpertSizes& sizes,
                         fb::ExpertBankT& bank) {
  bank.experts = static_cast<uint32_t>(sizes.experts);
  NodeWriter body = builder.body(bank, {sizes.features});
  const auto stacked = [&](const std::string& suffix, const Extents& shape, Role role) {
    return builder.stacked({prefix + "experts.", sizes.experts, suffix}, shape, role);
  };
  const int32_t w1 = stacked(".net.0.weight", {sizes.hidden, sizes.features}, Role::kMatrix);
  const int32_t b1 = stacked(".net.0.bias", {sizes.hidden}, Role::kVector);
  const int32_t w2 = stacked(sizes.second + ".weight", {sizes.classes, sizes.hidden}, Role::kMatrix);
  const int32_t b2 = stacked(sizes.second + ".bias", {sizes.classes}, Role::kVector);
  const uint32_t z = body.linear(0, w1, b1, fb::Activation::relu);
  body.linear(z, w2, b2, fb::Activation::none);
  return body;
}

uint32_t build_moe_head(GraphBuilder& builder, Head head, const std::string& prefix, uint32_t features) {
  const int64_t D = builder.nodes().shape(features)[0];
  const ExpertSizes sizes = expert_sizes(builder, prefix, D);
  const Config& config = builder.config();
  config.expect(config.num_experts, "num_experts", sizes.experts, prefix + "experts.*");

  auto layer = std::make_unique<fb::MoET>();
  layer->input = features;
  layer->router = head == Head::kSoft ? soft_router(config, sizes.experts) : sparse_router(config, sizes.experts);
  const Affine gate = builder.linear(gate_key(prefix, head), {sizes.experts, D}, Role::kVector);
  layer->router->weight = gate.weight;
  layer->router->bias = gate.bias;
  if (head == Head::kSparse) {
    // The noise of training: a parameter of the published model that evaluation never reads.
    builder.source().count_parameter(prefix + "gate.w_noise.weight", {sizes.experts, D});
    builder.source().count_parameter(prefix + "gate.w_noise.bias", {sizes.experts});
  }
  layer->bank = std::make_unique<fb::ExpertBankT>();
  const int64_t before = builder.source().parameters();
  const NodeWriter body = build_experts(builder, prefix, sizes, *layer->bank);
  return builder.moe(std::move(layer), body, builder.source().parameters() - before, "logits");
}

}  // namespace

int64_t head_features(const GraphBuilder& builder, const std::string& prefix) {
  return builder.source().shape(feature_key(builder.config(), prefix), {kAny, kAny})[1];
}

uint32_t build_head(GraphBuilder& builder, const std::string& prefix, uint32_t features) {
  const Config& config = builder.config();
  const Head head = head_kind(config);
  config.expect(config.in_dim, "in_dim", head_features(builder, prefix), feature_key(config, prefix));
  if (head == Head::kDense) return build_dense(builder, prefix, features);
  return build_moe_head(builder, head, prefix, features);
}

}  // namespace moefb::convert
