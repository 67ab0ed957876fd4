// A gate and the router behind it: who goes where, the losses, and their slopes.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "trainer/golden_checks.h"
#include "trainer/golden_compare.h"
#include "trainer/models/patch_dispatch.h"
#include "trainer/models/patch_gate.h"
#include "trainer/models/patch_router.h"
#include "trainer/models/state_dict.h"

namespace moefb::golden {
namespace {

using trainer::Routing;

Routing route_fixture(const Fixture& fixture, const Tensors& io, const at::Tensor& gate_logits) {
  trainer::RouterOptions options;
  options.capacity_factor_train = fixture.config.at("capacity_factor_train").get<double>();
  options.capacity_factor_val = fixture.config.at("capacity_factor_val").get<double>();
  trainer::RoutingPhase phase = routing_phase(fixture);
  phase.noise_level = fixture.config.value("noise_std", 0.0);
  const bool training = fixture.config.at("mode") == "train";
  const at::Tensor noise01 = io.has("noise01") ? io["noise01"] : at::Tensor();
  return trainer::route(gate_logits, /*images=*/1, options, phase, training, noise01);
}

void check_choice(const Routing& routing, const Tensors& io) {
  expect_equal("kept", routing.expert.ge(0).to(at::kByte), io["kept"]);
  expect_equal("assigned_expert", routing.expert, io["assigned_expert"]);
  expect_equal("slot", routing.slot, io["slot"]);
  EXPECT_EQ(routing.capacity, io["capacity"].item<int64_t>());
  const at::Tensor kept = routing.expert.masked_select(routing.expert.ge(0));
  expect_equal("tokens_per_expert", at::bincount(kept, {}, routing.scaled_logits.size(1)), io["tokens_per_expert"]);
  expect_close("combine_weight", routing.weight, io["combine_weight"], kForwardLimit);
  const trainer::DenseRouting dense = trainer::dense_routing(routing, routing.scaled_logits.size(1));
  expect_equal("dispatch", dense.dispatch, io["dispatch"]);
  expect_close("combine", dense.combine, io["combine"], kForwardLimit);
}

void check_values(const Routing& routing, const Tensors& io) {
  expect_close("scaled_logits", routing.scaled_logits, io["scaled_logits"], kForwardLimit);
  if (io.has("probs")) expect_close("probs", routing.probs, io["probs"], kForwardLimit, 1.0);
  expect_close("z_loss", routing.z_loss, io["z_loss"], kForwardLimit);
  expect_close("balance_loss", routing.balance_loss, io["balance_loss"], kForwardLimit);
  expect_close("diversity_loss", routing.diversity_loss, io["diversity_loss"], kForwardLimit);
  expect_close("logits_std", routing.logits_std, io["logits_std"], kForwardLimit);
}

/// The parts of the fixture's total, unweighted, by name.
std::map<std::string, at::Tensor> terms(const Routing& routing, const Tensors& io) {
  return {{"balance", routing.balance_loss},
          {"z", routing.z_loss},
          {"diversity", routing.diversity_loss},
          {"combine", (io["token_cotangent"] * routing.weight).sum()}};
}

at::Tensor total(const Fixture& fixture, const Routing& routing, const Tensors& io) {
  const auto weight = [&fixture](const char* key) { return fixture.config.at(key).get<double>(); };
  const auto term = terms(routing, io);
  return weight("w_balance") * term.at("balance") + weight("w_z") * term.at("z") +
         weight("w_div") * term.at("diversity") + term.at("combine");
}

void check_slopes(const Fixture& fixture, const Tensors& io, const at::Tensor& gate_logits) {
  for (const char* name : {"balance", "z", "diversity", "combine"}) {
    const at::Tensor leaf = gate_logits.detach().clone().requires_grad_();
    terms(route_fixture(fixture, io, leaf), io).at(name).backward();
    const std::string key = std::string("grad_gate_logits.") + name;
    expect_close(key, leaf.grad(), io[key], kHeadGradientLimit);
  }
}

}  // namespace

trainer::RoutingPhase routing_phase(const Fixture& fixture) {
  constexpr int kUniformEpochs = 10;
  trainer::RoutingPhase phase;
  phase.temperature = fixture.config.at("router_temp").get<double>();
  phase.uniform = fixture.config.value("current_epoch", kUniformEpochs) < kUniformEpochs;
  return phase;
}

void check_patch_router(const Fixture& fixture) {
  const int64_t channels = fixture.config.at("channels").get<int64_t>();
  trainer::PatchGate gate(2 * channels, fixture.config.at("num_experts").get<int64_t>());
  trainer::load_state_dict(gate, safetensors::read(fixture.state_dict()), fixture.state_dict());
  const Tensors io(fixture.io());
  const at::Tensor input = io["input"].clone().requires_grad_();
  const at::Tensor logits = gate.forward(trainer::gate_features(input, input.new_zeros({input.size(0), 0})));
  expect_close("gate_logits", logits, io["gate_logits"], kForwardLimit);
  const Routing routing = route_fixture(fixture, io, logits);
  check_choice(routing, io);
  check_values(routing, io);
  if (!fixture.config.value("gradients", false)) return;

  check_slopes(fixture, io, logits);
  const at::Tensor loss = total(fixture, routing, io);
  expect_close("total", loss, io["total"], kForwardLimit);
  loss.backward();
  expect_close("grad.input", input.grad(), io["grad.input"], kHeadGradientLimit);
  expect_gradients(gate, io, "", kHeadGradientLimit);
}

}  // namespace moefb::golden
