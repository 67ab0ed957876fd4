#include "trainer/models/patch_layer.h"

#include <ATen/ATen.h>

#include "trainer/distributed/rows.h"
#include "trainer/models/device.h"
#include "trainer/models/patch_parts.h"

namespace moefb::trainer {

constexpr double kInitialGamma = 0.01;

namespace {

/// (T, E) uniform in [0, 1): this process's part of what is drawn for all tokens.
at::Tensor draw_noise(const at::Tensor& logits, const Group& group) {
  const BatchRows tokens = rows_of(group, logits.size(0));
  const at::Tensor noise = empty_to_upload({tokens.total(), logits.size(1)}, logits.options()).uniform_();
  return upload(tokens.own(noise), logits.device());
}

}  // namespace

MoeLayer::MoeLayer(const MoeLayerOptions& options, const Group& group) : group_(group), options_(options) {
  const int64_t channels = options.channels;
  gamma_ = register_parameter("gamma", at::full({1}, kInitialGamma));
  const auto list = register_module("experts", std::make_shared<torch::nn::Module>());
  for (int64_t e = 0; e < options.experts; ++e) {
    const auto expert = std::make_shared<ConvExpert>(channels, channels, options.expert_kernel);
    experts_.push_back(list->register_module(std::to_string(e), expert));
  }
  merge_gn_ = register_module("merge_gn", make_group_norm(channels));
  const int64_t features = 2 * (channels + kPositionFeatures);
  gate_ = register_module("router_gate", std::make_shared<PatchGate>(features, options.experts));
  const auto post = register_module("post_block", std::make_shared<torch::nn::Module>());
  post_conv_ = post->register_module("0", make_plain_conv(channels, channels, options.post_kernel));
  post_norm_ = post->register_module("1", make_group_norm(channels));
}

MoeLayer::Output MoeLayer::forward(const at::Tensor& map, const RoutingPhase& phase, const at::Tensor* draws,
                                   Trace* trace, const Routing* held) {
  const PatchGrid grid = patch_grid(map, options_.patch_side);
  const at::Tensor tokens = split_patches(map, grid);
  Output out;
  out.routing = held ? *held : route_tokens(map, tokens, grid, phase, draws, trace);
  at::Tensor merged = join_patches(add_answers(tokens, out.routing, trace), grid);
  if (options_.crop_padding) merged = merged.narrow(2, 0, map.size(2)).narrow(3, 0, map.size(3));
  out.map = post_process(merged, trace);
  return out;
}

at::Tensor MoeLayer::positions(const at::Tensor& map, const PatchGrid& grid) const {
  return upload(position_features(grid), map.device()).to(map.scalar_type()).repeat({map.size(0), 1});
}

Routing MoeLayer::route_tokens(const at::Tensor& map, const at::Tensor& tokens, const PatchGrid& grid,
                               const RoutingPhase& phase, const at::Tensor* draws, Trace* trace) {
  const at::Tensor where = positions(map, grid);
  const at::Tensor features = gate_features(tokens, where);
  const at::Tensor logits = gate_->forward(features);
  note(trace, "positional", where);
  note(trace, "gate_pooled", features);
  note(trace, "gate_logits", logits);
  const bool noisy = is_training() && !phase.uniform && phase.noise_level > 0;
  const at::Tensor noise01 = draws ? *draws : noisy ? draw_noise(logits, group()) : at::Tensor();
  return route(logits, map.size(0), options_.router, phase, is_training(), noise01, group());
}

at::Tensor MoeLayer::add_answers(const at::Tensor& tokens, const Routing& routing, Trace* trace) {
  const ExpertOutputs answers = run_experts(experts_, tokens, routing, options_.dispatch);
  if (trace) note(trace, "expert_y", at::zeros_like(tokens).index_copy(0, answers.rows, answers.values));
  const at::Tensor scale = (gamma_ * answers.weight).view({answers.weight.size(0), 1, 1, 1});
  return tokens.index_add(0, answers.rows, scale * answers.values);
}

at::Tensor MoeLayer::post_process(const at::Tensor& merged, Trace* trace) {
  const at::Tensor act = at::silu(merge_gn_->forward(merged));
  const at::Tensor post = at::silu(post_norm_->forward(post_conv_->forward(act)));
  note(trace, "merged", merged);
  note(trace, "act", act);
  note(trace, "post", post);
  return merged + act + post;
}

}  // namespace moefb::trainer
