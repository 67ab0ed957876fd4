// Evaluation: heads alone and whole models, every stored intermediate.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "trainer/golden_checks.h"
#include "trainer/golden_compare.h"
#include "trainer/import/torch_file.h"
#include "trainer/models/cifar_net.h"
#include "trainer/models/losses.h"
#include "trainer/models/state_dict.h"
#include "trainer/train/published_summary.h"

namespace moefb::golden {
namespace {

using trainer::Draws;
using trainer::HeadOutput;

void check_gate(const HeadOutput& out, const Tensors& io) {
  expect_close("gate_logits", out.gate_logits, io["gate_logits"], kForwardLimit);
  expect_close("probs", out.probs, io["probs"], kForwardLimit, 1.0);
  if (!io.has("topk_idx")) return;
  expect_close("gate_scores", out.gate_scores, io["gate_scores"], kForwardLimit);
  expect_equal("topk_idx", out.topk_idx, io["topk_idx"]);
}

void check_aux_losses(const trainer::ModelConfig& config, const HeadOutput& out, const Tensors& io) {
  if (!io.has("importance_loss")) return;
  expect_close("importance_loss", trainer::importance_loss(out.probs, config.importance_coef), io["importance_loss"],
               kForwardLimit);
  expect_close("load_loss", trainer::load_loss(out.probs.sum(0), config.load_coef), io["load_loss"], kForwardLimit);
}

void check_output(const trainer::ModelConfig& config, const HeadOutput& out, const Tensors& io, double limit) {
  expect_close("logits", out.logits, io["logits"], limit);
  if (io.has("hidden_pre")) expect_close("hidden_pre", out.hidden_pre, io["hidden_pre"], limit);
  if (io.has("gate_logits")) check_gate(out, io);
  check_aux_losses(config, out, io);
  if (io.has("aux_loss")) expect_close("aux_loss", out.aux_loss, io["aux_loss"], kForwardLimit);
}

/// The original's own container holds the same weights and, with its summary, the same model.
void check_published_container(const Fixture& fixture, const trainer::ModelConfig& config) {
  const std::string container = fixture.folder + "/model.pt";
  if (!std::filesystem::exists(container)) return;
  const safetensors::File imported = trainer::read_published_checkpoint(container).weights;
  const safetensors::File twin = safetensors::read(fixture.state_dict());
  ASSERT_EQ(imported.tensors.size(), twin.tensors.size());
  for (const auto& [name, tensor] : twin.tensors) {
    ASSERT_TRUE(imported.tensors.contains(name)) << name;
    const safetensors::Tensor& found = imported.tensors.at(name);
    EXPECT_EQ(found.dtype, tensor.dtype) << name;
    EXPECT_EQ(found.shape, tensor.shape) << name;
    EXPECT_TRUE(found.data == tensor.data) << name;
  }
  const auto run = trainer::read_published_summary(fixture.folder + "/summary.json", imported, container);
  const auto& model = std::get<trainer::ModelConfig>(run.model);
  EXPECT_EQ(model.head, config.head);
  EXPECT_EQ(model.width0, config.width0);
  EXPECT_EQ(model.k, config.k);
  EXPECT_EQ(model.temperature, config.temperature);
}

Draws evaluation_draws(const Fixture& fixture, const Tensors& io) {
  Draws draws;
  if (has_ties(fixture)) draws.topk_idx = io["topk_idx"];
  return draws;
}

}  // namespace

trainer::ModelConfig model_config(const Fixture& fixture) {
  trainer::Settings settings(fixture.config, fixture.name);
  return trainer::read_model_config(settings);
}

bool has_ties(const Fixture& fixture) {
  return fixture.config.value("/checks/rows_with_more_than_k_nonzero"_json_pointer, 0) > 0;
}

void check_head(const Fixture& fixture) {
  const at::NoGradGuard no_grad;
  const trainer::ModelConfig config = model_config(fixture);
  const auto head = trainer::make_head(config);
  trainer::load_state_dict(*head, safetensors::read(fixture.state_dict()), fixture.state_dict());
  head->eval();
  const Tensors io(fixture.io());
  const Draws draws = evaluation_draws(fixture, io);
  check_output(config, head->forward(io["input"], &draws), io, kForwardLimit);
  if (io.has("expert_logits")) {
    expect_close("expert_logits", head->expert_logits(io["input"]), io["expert_logits"], kForwardLimit);
  }
}

void check_whole_model(const Fixture& fixture) {
  const at::NoGradGuard no_grad;
  const trainer::ModelConfig config = model_config(fixture);
  trainer::CifarNet net(config);
  trainer::load_state_dict(net, safetensors::read(fixture.state_dict()), fixture.state_dict());
  net.eval();
  const Tensors io(fixture.io());
  const Draws draws = evaluation_draws(fixture, io);
  trainer::FeatureMaps maps;
  const trainer::NetOutput out = net.forward(io["input"], trainer::Precision::kF32, &draws, &maps);
  expect_close("stem_bn", maps.stem_bn, io["stem_bn"], kNetworkLimit);
  for (int i = 0; i < 4; ++i) {
    const std::string name = "layer" + std::to_string(i + 1);
    expect_close(name, maps.layer[i], io[name], kNetworkLimit);
  }
  expect_close("features", out.features, io["features"], kNetworkLimit);
  check_output(config, out.head, io, kNetworkLimit);
  check_published_container(fixture, config);
}

}  // namespace moefb::golden
