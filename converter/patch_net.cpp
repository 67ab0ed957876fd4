#include "converter/patch_net.h"

#include <algorithm>
#include <string>
#include <utility>

namespace moefb::convert {
namespace {

constexpr float kLayerNormEps = 1e-5f;  // spec, section 3
constexpr float kClamp = 10;            // spec, section 4, step 1
constexpr int64_t kPositionFeatures = 18;
constexpr int64_t kSmallestPatch = 2;

/// convolution without bias, then GroupNorm
uint32_t conv_norm(NodeWriter& nodes, uint32_t src, int32_t kernel, const Affine& norm, uint32_t stride,
                   fb::Activation activation) {
  const uint32_t map = nodes.conv2d(src, kernel, -1, {stride, fb::Activation::none, -1, ""});
  return nodes.group_norm(map, norm.weight, norm.bias, activation);
}

// ---- one MoE layer -----------------------------------------------------------------------------------------------

/// GN_b(conv(silu(GN_a(conv(t))))) + t on one token (C, P, P). Kernel sizes come from the tensors.
NodeWriter build_experts(GraphBuilder& builder, const std::string& key, int64_t channels, int64_t patch,
                         fb::ExpertBankT& bank) {
  const std::string prefix = key + "experts.";
  const auto kernel = [&](const std::string& suffix) {
    const int64_t side = builder.kernel_side(prefix + "0" + suffix, {channels, channels});
    return builder.stacked({prefix, bank.experts, suffix}, {channels, channels, side, side}, Role::kMatrix);
  };
  const auto norm = [&](const std::string& suffix) {
    return Affine{builder.stacked({prefix, bank.experts, suffix + ".weight"}, {channels}, Role::kVector),
                  builder.stacked({prefix, bank.experts, suffix + ".bias"}, {channels}, Role::kVector)};
  };
  NodeWriter body = builder.body(bank, {channels, patch, patch});
  const int32_t first = kernel(".conv_block.0.weight");
  const Affine norm_a = norm(".conv_block.1");
  const int32_t second = kernel(".conv_block.3.weight");
  const Affine norm_b = norm(".conv_block.4");
  const uint32_t hidden = conv_norm(body, 0, first, norm_a, 1, fb::Activation::silu);
  const uint32_t result = conv_norm(body, hidden, second, norm_b, 1, fb::Activation::none);
  body.add({result, 0});
  return body;
}

/// Mean and maximum of the patch and of its position, through LayerNorm and a linear layer.
std::unique_ptr<fb::RouterT> build_router(GraphBuilder& builder, const std::string& key, int64_t channels,
                                          int64_t experts) {
  const Config& config = builder.config();
  const int64_t features = 2 * (channels + kPositionFeatures);
  auto router = std::make_unique<fb::RouterT>();
  router->kind = fb::RouterKind::patch_top1;
  router->pool_mean = router->pool_max = router->coordinates = true;
  router->fourier_bands = {1, 2, 4, 8};
  const Affine norm = builder.norm(key + "router_gate.mlp.0", features);
  router->feature_norm = std::make_unique<fb::NormT>();
  router->feature_norm->kind = fb::NormKind::layer_norm;
  router->feature_norm->eps = kLayerNormEps;
  router->feature_norm->weight = norm.weight;
  router->feature_norm->bias = norm.bias;
  const Affine gate = builder.linear(key + "router_gate.mlp.1", {experts, features}, Role::kVector);
  router->weight = gate.weight;
  router->bias = gate.bias;
  router->centered = true;
  router->temperature = static_cast<float>(config.need(config.router_temp, "router_temp", "a patch network"));
  router->clamp = kClamp;
  router->capacity_factor = config.need(config.capacity_factor_val, "capacity_factor_val", "a patch network");
  router->capacity_group = config.capacity_group;
  router->drop_policy = config.drop_policy;
  router->combine = config.combine;
  return router;
}

/// M of the spec: the map with gamma times its expert's answer added to every kept patch.
uint32_t build_moe(GraphBuilder& builder, uint32_t map, int64_t index, int64_t patch) {
  const Config& config = builder.config();
  const std::string name = "layer" + std::to_string(index);
  const std::string key = "layers." + std::to_string(index) + ".";
  const int64_t channels = builder.nodes().shape(map)[0];
  const int64_t experts = std::max<int64_t>(1, builder.source().children(key + "experts."));
  config.expect(config.num_experts, "num_experts", experts, key + "experts.*");

  auto layer = std::make_unique<fb::MoET>();
  layer->published_layer = static_cast<int32_t>(index);
  layer->input = map;
  layer->patch = static_cast<uint32_t>(patch);
  layer->residual = true;
  layer->crop_padding = config.crop_padding;
  layer->gamma = builder.tensor(key + "gamma", {1}, Role::kVector);
  layer->router = build_router(builder, key, channels, experts);
  layer->bank = std::make_unique<fb::ExpertBankT>();
  layer->bank->experts = static_cast<uint32_t>(experts);
  const int64_t before = builder.source().parameters();
  const NodeWriter body = build_experts(builder, key, channels, patch, *layer->bank);
  return builder.moe(std::move(layer), body, builder.source().parameters() - before, name + ".merged");
}

/// out = M + a + q: the MoE stage, then the dense convolution across patch borders.
uint32_t build_moe_layer(GraphBuilder& builder, uint32_t map, int64_t index, int64_t patch) {
  NodeWriter& nodes = builder.nodes();
  const std::string key = "layers." + std::to_string(index) + ".";
  const int64_t channels = nodes.shape(map)[0];
  const uint32_t merged = build_moe(builder, map, index, patch);
  const Affine merge_norm = builder.norm(key + "merge_gn", channels);
  const int64_t side = builder.kernel_side(key + "post_block.0.weight", {channels, channels});
  const int32_t post = builder.tensor(key + "post_block.0.weight", {channels, channels, side, side}, Role::kMatrix);
  const Affine post_norm = builder.norm(key + "post_block.1", channels);
  const uint32_t a = nodes.group_norm(merged, merge_norm.weight, merge_norm.bias, fb::Activation::silu);
  const uint32_t q = conv_norm(nodes, a, post, post_norm, 1, fb::Activation::silu);
  return nodes.add({merged, a, q}, fb::Activation::none, "layer" + std::to_string(index) + ".out");
}

// ---- the rest ----------------------------------------------------------------------------------------------------

/// silu(GN2(conv2(silu(GN1(conv1(x))))) + GNs(skip(x))), half the size
uint32_t build_down_layer(GraphBuilder& builder, uint32_t map, int64_t index) {
  NodeWriter& nodes = builder.nodes();
  const std::string key = "layers." + std::to_string(index) + ".";
  const int64_t in = nodes.shape(map)[0];
  const int64_t out = builder.source().shape(key + "conv1.weight", {kAny, in, kAny, kAny})[0];
  const auto kernel = [&](const std::string& name, int64_t inputs) {
    const int64_t side = builder.kernel_side(key + name, {out, inputs});
    return builder.tensor(key + name, {out, inputs, side, side}, Role::kMatrix);
  };
  const int32_t conv1 = kernel("conv1.weight", in);
  const Affine gn1 = builder.norm(key + "gn1", out);
  const int32_t conv2 = kernel("conv2.weight", out);
  const Affine gn2 = builder.norm(key + "gn2", out);
  const int32_t skip_conv = kernel("skip.0.weight", in);
  const Affine skip_norm = builder.norm(key + "skip.1", out);

  const uint32_t skip = conv_norm(nodes, map, skip_conv, skip_norm, 2, fb::Activation::none);
  const uint32_t hidden = conv_norm(nodes, map, conv1, gn1, 2, fb::Activation::silu);
  const uint32_t result = conv_norm(nodes, hidden, conv2, gn2, 1, fb::Activation::none);
  return nodes.add({result, skip}, fb::Activation::silu, "layer" + std::to_string(index) + ".out");
}

/// Channels of the map that the first layer takes.
int64_t first_channels(const StateDict& source) {
  if (source.has("layers.0.conv1.weight")) return source.shape("layers.0.conv1.weight", {kAny, kAny, kAny, kAny})[1];
  return source.shape("layers.0.merge_gn.weight", {kAny})[0];
}

/// The picture through conv, BatchNorm and SiLU; without stem tensors the map itself.
uint32_t build_stem(GraphBuilder& builder) {
  const Config& config = builder.config();
  const StateDict& source = builder.source();
  const ImageSize& image = config.need(config.image, "image", "a patch network");
  const bool identity = !has_stem(source);
  if (config.identity_stem && *config.identity_stem != identity) {
    throw std::runtime_error(config.path + ": key \"identity_stem\" is " + (identity ? "false" : "true") +
                             ", but tensor \"stem.0.weight\" is " + (identity ? "missing" : "there"));
  }
  const std::string key = identity ? "layers.0.*" : "stem.0.weight";
  const int64_t channels = identity ? first_channels(source) : source.shape(key, {kAny, 3, kAny, kAny})[0];
  config.expect(config.base_channels, "base_channels", channels, key);
  if (identity) return builder.set_input({channels, image.height, image.width});

  const int64_t side = builder.kernel_side(key, {channels, 3});
  const uint32_t input = builder.set_input({3, image.height, image.width});
  const Affine stem = builder.folded_conv("stem.0", "stem.1", {channels, 3, side, side});
  return builder.nodes().conv2d(input, stem.weight, stem.bias, {2, fb::Activation::silu, -1, "stem"});
}

uint32_t build_prediction_head(GraphBuilder& builder, uint32_t map) {
  const Config& config = builder.config();
  const std::string key = "prediction_head.0";
  const int64_t channels = builder.nodes().shape(map)[0];
  const int64_t classes = builder.source().shape(key + ".weight", {kAny, channels})[0];
  config.expect(config.num_classes, "num_classes", classes, key + ".weight");
  const Affine head = builder.linear(key, {classes, channels});
  const uint32_t pooled = builder.nodes().global_average_pool(map, "pooled");
  return builder.nodes().linear(pooled, head.weight, head.bias, fb::Activation::none, "logits");
}

}  // namespace

bool has_stem(const StateDict& source) {
  return source.has("stem.0.weight");
}

uint32_t build_patch_net(GraphBuilder& builder) {
  const Config& config = builder.config();
  int64_t patch = config.need(config.patch_size, "patch_size", "a patch network");
  uint32_t map = build_stem(builder);
  const int64_t layers = std::max<int64_t>(1, builder.source().children("layers."));
  config.expect(config.layer_number, "layer_number", layers, "layers.*");
  for (int64_t index = 0; index < layers; ++index) {
    if (builder.source().has("layers." + std::to_string(index) + ".conv1.weight")) {
      map = build_down_layer(builder, map, index);
      patch = std::max(kSmallestPatch, patch / 2);
    } else {
      map = build_moe_layer(builder, map, index, patch);
    }
  }
  return build_prediction_head(builder, map);
}

}  // namespace moefb::convert
