// The parts of the patch network alone: cutting, positions, blocks and gates, with their gradients.
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/normalization.h>

#include <map>

#include "trainer/golden_checks.h"
#include "trainer/golden_compare.h"
#include "trainer/models/patch_downsample.h"
#include "trainer/models/patch_expert.h"
#include "trainer/models/patch_gate.h"
#include "trainer/models/patch_grid.h"
#include "trainer/models/state_dict.h"

namespace moefb::golden {
namespace {

/// What a part of a block was given: a stored tensor, if need be through SiLU.
struct Source {
  const char* tensor;
  bool activated = false;
};

const std::map<std::string, Source>& sources() {
  static const std::map<std::string, Source> by_part = {
      {"conv_block.0", {"input"}},
      {"conv_block.1", {"mid.conv_block.0"}},
      {"conv_block.3", {"mid.conv_block.1", true}},
      {"conv_block.4", {"mid.conv_block.3"}},
      {"conv1", {"input"}},
      {"gn1", {"mid.conv1"}},
      {"conv2", {"mid.gn1", true}},
      {"gn2", {"mid.conv2"}},
      {"skip.0", {"input"}},
      {"skip.1", {"mid.skip.0"}},
      {"mlp.0", {"mid.pooled"}},
  };
  return by_part;
}

at::Tensor run_part(torch::nn::Module& part, const at::Tensor& input) {
  if (auto* conv = part.as<torch::nn::Conv2d>()) return conv->forward(input);
  if (auto* norm = part.as<torch::nn::GroupNorm>()) return norm->forward(input);
  if (auto* norm = part.as<torch::nn::LayerNorm>()) return norm->forward(input);
  throw std::logic_error("a part of another type: " + part.name());
}

/// Each part that the fixture stores an output of, alone on what it was given: which one is wrong if the whole is.
void check_parts(const torch::nn::Module& module, const Tensors& io) {
  const auto parts = module.named_modules("", /*include_self=*/false);
  for (const auto& [name, expected] : io.all()) {
    if (!name.starts_with("mid.") || name == "mid.pooled") continue;  // the latter is no part's output: check_gate()
    const std::string part = name.substr(std::string("mid.").size());
    ASSERT_TRUE(sources().contains(part) && parts.contains(part)) << name << " has no counterpart";
    const Source& source = sources().at(part);
    const at::Tensor input = source.activated ? at::silu(io[source.tensor]) : io[source.tensor];
    expect_close(name, run_part(*parts[part], input), expected, kForwardLimit);
  }
}

/// Fills the module, runs it and compares output, parts and gradients.
template <typename Module, typename Forward>
void check_module(const Fixture& fixture, Module& module, Forward forward) {
  trainer::load_state_dict(module, safetensors::read(fixture.state_dict()), fixture.state_dict());
  const Tensors io(fixture.io());
  const at::Tensor input = io["input"].clone().requires_grad_();
  const at::Tensor output = forward(module, input);
  expect_close("output", output, io["output"], kForwardLimit);
  check_parts(module, io);
  (output * io["cotangent"]).sum().backward();
  expect_close("grad.input", input.grad(), io["grad.input"], kHeadGradientLimit);
  expect_gradients(module, io, "", kHeadGradientLimit);
}

void check_expert(const Fixture& fixture, int64_t in_channels, int64_t channels) {
  const int64_t stride = fixture.config.at("downsampling").get<bool>() ? 2 : 1;
  trainer::ConvExpert expert(in_channels, channels, fixture.config.at("kernel").get<int64_t>(), stride);
  check_module(fixture, expert, [](auto& module, const at::Tensor& input) { return module.forward(input); });
}

void check_downsample(const Fixture& fixture, int64_t in_channels, int64_t channels) {
  trainer::DownsampleBlock block(in_channels, channels);
  check_module(fixture, block, [](auto& module, const at::Tensor& input) { return module.forward(input); });
}

/// Here the position is among the channels.
at::Tensor gate_input(const at::Tensor& tokens) {
  return trainer::gate_features(tokens, tokens.new_zeros({tokens.size(0), 0}));
}

void check_gate(const Fixture& fixture, int64_t channels) {
  trainer::PatchGate gate(2 * channels, fixture.config.at("num_experts").get<int64_t>());
  check_module(fixture, gate, [](auto& module, const at::Tensor& input) { return module.forward(gate_input(input)); });
  const Tensors io(fixture.io());
  expect_close("mid.pooled", gate_input(io["input"]), io["mid.pooled"], kForwardLimit);
}

void check_case(const std::string& prefix, int64_t side, const Tensors& io) {
  const at::Tensor& map = io[prefix + "input"];
  const trainer::PatchGrid grid = trainer::patch_grid(map, side);
  expect_equal(prefix + "grid", at::tensor({grid.rows, grid.columns}), io[prefix + "grid"]);
  const at::Tensor tokens = trainer::split_patches(map, grid);
  expect_equal(prefix + "patches", tokens.view(io[prefix + "patches"].sizes()), io[prefix + "patches"]);
  const at::Tensor positions = trainer::position_features(grid).unsqueeze(0).expand({map.size(0), -1, -1});
  expect_close(prefix + "positional", positions, io[prefix + "positional"], kForwardLimit);
  const at::Tensor joined = trainer::join_patches(tokens, grid);
  expect_equal(prefix + "joined", joined.narrow(2, 0, map.size(2)).narrow(3, 0, map.size(3)), map);
}

}  // namespace

void check_patch_extraction(const Fixture& fixture) {
  const Tensors io(fixture.io());
  const auto& cases = fixture.config.at("cases");
  for (size_t i = 0; i < cases.size(); ++i) {
    check_case("case" + std::to_string(i) + ".", cases[i].at(4).get<int64_t>(), io);
  }
}

void check_patch_module(const Fixture& fixture) {
  const auto& config = fixture.config;
  const std::string module = config.at("module").get<std::string>();
  const int64_t in_channels = config.at("in_channels").get<int64_t>();
  const int64_t channels = config.value("out_channels", in_channels);
  if (module == "conv_expert") return check_expert(fixture, in_channels, channels);
  if (module == "downsample") return check_downsample(fixture, in_channels, channels);
  if (module == "router_gate") return check_gate(fixture, in_channels);
  FAIL() << "unknown module " << module;
}

}  // namespace moefb::golden
