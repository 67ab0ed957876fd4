#include "trainer/models/patch_net.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <string>

namespace moefb::trainer {
namespace {

void note_routing(Trace* trace, const Routing& routing) {
  const int64_t experts = routing.scaled_logits.size(1);
  note(trace, "scaled_logits", routing.scaled_logits);
  note(trace, "probs", routing.probs);
  note(trace, "kept", (routing.expert >= 0).to(at::kByte));
  note(trace, "assigned_expert", routing.expert);
  note(trace, "slot", routing.slot);
  note(trace, "combine_weight", routing.weight);
  note(trace, "capacity", at::scalar_tensor(routing.capacity, at::kLong));
  note(trace, "tokens_per_expert", at::bincount(routing.expert + 1, {}, experts + 1).narrow(0, 1, experts));
  note(trace, "z_loss", routing.z_loss);
  note(trace, "balance_loss", routing.balance_loss);
  note(trace, "diversity_loss", routing.diversity_loss);
  note(trace, "logits_std", routing.logits_std);
}

}  // namespace

PatchNet::PatchNet(const PatchNetConfig& config, DispatchKind dispatch, const Group& group) {
  phase_.temperature = config.router_temp;
  if (!config.identity_stem) add_stem(config.base_channels, group);
  add_layers(config, dispatch, group);
  const auto head = register_module("prediction_head", std::make_shared<torch::nn::Module>());
  head_ = head->register_module("0", torch::nn::Linear(channels_, config.num_classes));
}

void PatchNet::add_stem(int64_t channels, const Group& group) {
  const auto stem = register_module("stem", std::make_shared<torch::nn::Module>());
  const auto options = torch::nn::Conv2dOptions(3, channels, 7).stride(2).padding(3).bias(false);
  stem_conv_ = stem->register_module("0", torch::nn::Conv2d(options));
  stem_norm_ = stem->register_module("1", std::make_shared<SyncBatchNorm2d>(channels, group));
}

void PatchNet::add_layers(const PatchNetConfig& config, DispatchKind dispatch, const Group& group) {
  const auto list = register_module("layers", std::make_shared<torch::nn::Module>());
  channels_ = config.base_channels;
  int64_t side = config.patch_size;
  size_t moe_index = 0;
  for (int64_t i = 0; i < config.layer_number; ++i) {
    Layer layer;
    if (PatchNetConfig::is_moe(i)) {
      const MoeLayerOptions options = {channels_,
                                       config.num_experts,
                                       side,
                                       config.expert_kernel.at(moe_index),
                                       config.post_kernel.at(moe_index),
                                       config.crop_padding,
                                       config.router,
                                       dispatch};
      layer.moe = list->register_module(std::to_string(i), std::make_shared<MoeLayer>(options, group));
      ++moe_index;
    } else {
      layer.down =
          list->register_module(std::to_string(i), std::make_shared<DownsampleBlock>(channels_, 2 * channels_));
      channels_ *= 2;
      side = std::max<int64_t>(2, side / 2);
    }
    layers_.push_back(layer);
  }
}

void PatchNet::set_phase(const RoutingPhase& phase, const RouterLossWeights& weights) {
  phase_ = phase;
  weights_ = weights;
}

NetworkOutput PatchNet::forward(const at::Tensor& images, const RouterDraws* draws, Trace* trace,
                                const NetworkOutput* routes) {
  NetworkOutput out;
  at::Tensor map = run_stem(images);
  note(trace, "stem", map);
  for (size_t i = 0; i < layers_.size(); ++i) map = run_layer(int64_t(i), map, draws, trace, routes, out);
  const at::Tensor pooled = map.mean({2, 3});
  out.logits = head_->forward(pooled);
  note(trace, "final_map", map);
  note(trace, "pooled", pooled);
  note(trace, "logits", out.logits);
  add_losses(out, trace);
  return out;
}

at::Tensor PatchNet::run_stem(const at::Tensor& images) {
  return stem_conv_.is_empty() ? images : at::silu(stem_norm_->forward(stem_conv_->forward(images)));
}

at::Tensor PatchNet::run_layer(int64_t index, const at::Tensor& map, const RouterDraws* draws, Trace* trace,
                               const NetworkOutput* routes, NetworkOutput& out) {
  const Layer& layer = layers_[size_t(index)];
  Trace own;
  at::Tensor result;
  if (layer.moe) {
    at::Tensor noise01;
    if (draws && draws->contains(index)) noise01 = draws->at(index);
    const Routing* held = routes ? &routes->routing[out.routing.size()].routing : nullptr;
    MoeLayer::Output output = layer.moe->forward(map, phase_, draws ? &noise01 : nullptr, trace ? &own : nullptr, held);
    result = output.map;
    if (trace) note_routing(&own, output.routing);
    out.routing.push_back({index, std::move(output.routing)});
  } else {
    result = layer.down->forward(map);
  }
  if (trace) {
    note(&own, "in", map);
    note(&own, "out", result);
    for (const auto& [name, tensor] : own) (*trace)["layer" + std::to_string(index) + "." + name] = tensor;
  }
  return result;
}

void PatchNet::add_losses(NetworkOutput& out, Trace* trace) const {
  at::Tensor z = at::zeros({}, out.logits.options());
  at::Tensor balance = z;
  at::Tensor diversity = z;
  for (const LayerRouting& layer : out.routing) {
    z = z + layer.routing.z_loss;
    balance = balance + layer.routing.balance_loss;
    diversity = diversity + layer.routing.diversity_loss;
  }
  note(trace, "z_loss", z);
  note(trace, "balance_loss", balance);
  note(trace, "diversity_loss", diversity);
  out.aux_loss = weights_.balance * balance + weights_.z * z + weights_.diversity * diversity;
}

}  // namespace moefb::trainer
