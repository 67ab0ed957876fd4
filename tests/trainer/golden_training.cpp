// Training mode: losses, gradients and optimiser steps, with the stored noise and dropout masks.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "trainer/golden_checks.h"
#include "trainer/golden_compare.h"
#include "trainer/models/cifar_net.h"
#include "trainer/models/state_dict.h"
#include "trainer/train/sgd.h"

namespace moefb::golden {
namespace {

using trainer::Draws;
using trainer::HeadOutput;

Draws stored_draws(const Fixture& fixture, const Tensors& io, const std::string& prefix) {
  Draws draws;
  if (io.has(prefix + "noise")) draws.noise = io[prefix + "noise"];
  if (has_ties(fixture)) draws.topk_idx = io[prefix + "topk_idx"];
  for (const auto& [name, tensor] : io.all()) {
    const std::string mask_prefix = prefix + "mask.";
    if (name.starts_with(mask_prefix)) draws.keep_masks[name.substr(mask_prefix.size())] = tensor;
  }
  return draws;
}

/// Checks forward results and losses of one step. @return the total loss
at::Tensor check_forward(const HeadOutput& out, const Tensors& io, const std::string& prefix, double limit) {
  const at::Tensor ce = at::cross_entropy_loss(out.logits, io[prefix + "target"]);
  const at::Tensor total = out.aux_loss.defined() ? ce + out.aux_loss : ce;
  const std::map<std::string, at::Tensor> computed = {
      {"logits", out.logits},
      {"hidden_pre", out.hidden_pre},
      {"gate_logits", out.gate_logits},
      {"probs", out.probs},
      {"gate_scores", out.gate_scores},
      {"aux_loss", out.aux_loss},
      {"kl_loss", out.aux_loss},
      {"loss_ce", ce},
      {"loss_total", total},
  };
  for (const auto& [name, tensor] : computed) {
    if (io.has(prefix + name)) expect_close(prefix + name, tensor, io[prefix + name], limit, name == "probs" ? 1 : 0);
  }
  if (io.has(prefix + "topk_idx")) expect_equal(prefix + "topk_idx", out.topk_idx, io[prefix + "topk_idx"]);
  return total;
}

void check_state(const torch::nn::Module& module, const Tensors& io, const std::string& prefix) {
  size_t compared = 0;
  for (const auto& [key, tensor] : trainer::state_dict(module).tensors) {
    if (!io.has(prefix + key)) continue;
    const at::Tensor found = trainer::to_torch(tensor);
    if (found.scalar_type() == at::kLong) {
      expect_equal(prefix + key, found, io[prefix + key]);
    } else {
      expect_close(prefix + key, found, io[prefix + key], kWeightsAfterStepsLimit);
    }
    ++compared;
  }
  EXPECT_GT(compared, 0u) << "no tensor " << prefix << "*";
}

}  // namespace

void check_head_training(const Fixture& fixture) {
  const trainer::ModelConfig config = model_config(fixture);
  const auto head = trainer::make_head(config);
  trainer::load_state_dict(*head, safetensors::read(fixture.state_dict()), fixture.state_dict());
  head->train();
  const Tensors io(fixture.io());
  const Draws draws = stored_draws(fixture, io, "");
  const at::Tensor input = io["input"].clone().requires_grad_();
  check_forward(head->forward(input, &draws), io, "", kForwardLimit).backward();
  expect_close("grad.input", input.grad(), io["grad.input"], kHeadGradientLimit);
  expect_gradients(*head, io, "", kHeadGradientLimit);
}

void check_steps(const Fixture& fixture) {
  const trainer::ModelConfig config = model_config(fixture);
  trainer::CifarNet net(config);
  trainer::load_state_dict(net, safetensors::read(fixture.state_dict()), fixture.state_dict());
  net.train();
  trainer::SgdConfig sgd_config;
  sgd_config.momentum = fixture.config.at("momentum").get<double>();
  sgd_config.weight_decay = fixture.config.at("weight_decay").get<double>();
  trainer::Sgd sgd(net, sgd_config);
  const Tensors io(fixture.io());
  for (int step = 0; step < fixture.config.at("steps").get<int>(); ++step) {
    const std::string prefix = "step" + std::to_string(step) + ".";
    const Draws draws = stored_draws(fixture, io, prefix);
    sgd.zero_grad();
    const HeadOutput out = net.forward(io[prefix + "input"], trainer::Precision::kF32, &draws).head;
    // From the second step on the weights themselves are only equal within their own limit.
    check_forward(out, io, prefix, step == 0 ? kNetworkLimit : kWeightsAfterStepsLimit).backward();
    if (step == 0) expect_gradients(net, io, prefix, kNetworkGradientLimit);
    sgd.step(fixture.config.at("lr").get<double>());
    check_state(net, io, prefix + "after.");
  }
}

}  // namespace moefb::golden
