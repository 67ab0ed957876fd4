// The parts of the patch network alone: cutting, positions, blocks and gates, with their gradients.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "trainer/golden_checks.h"
#include "trainer/golden_compare.h"
#include "trainer/models/patch_downsample.h"
#include "trainer/models/patch_expert.h"
#include "trainer/models/patch_gate.h"
#include "trainer/models/patch_grid.h"
#include "trainer/models/state_dict.h"

namespace moefb::golden {
namespace {

/// Fills the module, runs it and compares output and gradients.
template <typename Module, typename Forward>
void check_module(const Fixture& fixture, Module& module, Forward forward) {
  trainer::load_state_dict(module, safetensors::read(fixture.state_dict()), fixture.state_dict());
  const Tensors io(fixture.io());
  const at::Tensor input = io["input"].clone().requires_grad_();
  const at::Tensor output = forward(module, input);
  expect_close("output", output, io["output"], kForwardLimit);
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

void check_gate(const Fixture& fixture, int64_t channels) {
  trainer::PatchGate gate(2 * channels, fixture.config.at("num_experts").get<int64_t>());
  check_module(fixture, gate, [](auto& module, const at::Tensor& input) {
    // Here the position is among the channels.
    return module.forward(trainer::gate_features(input, input.new_zeros({input.size(0), 0})));
  });
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
