// The published recipe of the patch network: schedules, parameter groups, and two whole training steps.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "trainer/golden_checks.h"
#include "trainer/golden_compare.h"
#include "trainer/models/patch_net.h"
#include "trainer/models/state_dict.h"
#include "trainer/train/adamw.h"
#include "trainer/train/mixing.h"
#include "trainer/train/patch_schedule.h"

namespace moefb::golden {
namespace {

using trainer::ParameterGroup;
using trainer::PatchNet;

constexpr double kLabelSmoothing = 0.1;
constexpr double kRouterNorm = 0.5;
constexpr double kBackboneNorm = 1.5;
constexpr double kScheduleLimit = 1e-12;
constexpr double kStoredScalarLimit = 1e-6;  // f32 of what is computed in float64
constexpr double kMixedLimit = 1e-6;

nlohmann::json read_json(const std::string& path) {
  std::ifstream file(path);
  return nlohmann::json::parse(file);
}

trainer::PatchRecipe recipe_of(const nlohmann::json& config) {
  trainer::PatchRecipe recipe;
  const auto& keys = config.at("recipe");
  recipe.epochs = keys.value("train_epochs", recipe.epochs);
  recipe.learning_rate = keys.value("lr", recipe.learning_rate);
  recipe.router_learning_rate = keys.value("router_lr", recipe.router_learning_rate);
  recipe.uniform_epochs = keys.value("uniform_epochs", recipe.uniform_epochs);
  recipe.balance_initial = keys.value("alpha_init", recipe.balance_initial);
  recipe.balance_final = keys.value("alpha_final", recipe.balance_final);
  recipe.temperature_initial = keys.value("temp_init", recipe.temperature_initial);
  recipe.temperature_final = keys.value("temp_final", recipe.temperature_final);
  recipe.temperature_epochs = keys.value("temp_epochs", recipe.temperature_epochs);
  const auto& net = config.contains("net") ? config.at("net") : config;
  recipe.router_temp = net.at("router_temp").get<double>();
  return recipe;
}

std::map<std::string, double> values_of(const trainer::PatchEpoch& plan) {
  return {
      {"alpha", plan.losses.balance},   {"lr_backbone", plan.rates.backbone}, {"lr_backbone_norm", plan.rates.backbone},
      {"lr_router", plan.rates.router}, {"noise", plan.phase.noise_level},    {"temperature", plan.phase.temperature},
      {"z_weight", plan.losses.z}};
}

void check_epochs(const nlohmann::json& schedules, const trainer::PatchRecipe& recipe) {
  for (const auto& [name, values] : schedules.items()) {
    ASSERT_EQ(int64_t(values.size()), recipe.epochs) << name;
    for (int64_t epoch = 0; epoch < recipe.epochs; ++epoch) {
      const std::map<std::string, double> plan = values_of(trainer::patch_epoch(recipe, epoch));
      ASSERT_TRUE(plan.contains(name)) << name << " has no counterpart";
      EXPECT_NEAR(plan.at(name), values[size_t(epoch)].get<double>(), kScheduleLimit) << name << " of epoch " << epoch;
    }
  }
}

std::set<std::string> members(const PatchNet& net, ParameterGroup group) {
  std::set<std::string> names;
  for (const auto& item : net.named_parameters()) {
    if (trainer::group_by_name(item.key(), item.value()) == group) names.insert(item.key());
  }
  return names;
}

void check_groups(const nlohmann::json& groups, const PatchNet& net) {
  EXPECT_EQ(members(net, ParameterGroup::kDecay), groups.at("decay").get<std::set<std::string>>());
  EXPECT_EQ(members(net, ParameterGroup::kNoDecay), groups.at("no_decay").get<std::set<std::string>>());
  EXPECT_EQ(members(net, ParameterGroup::kRouter), groups.at("router").get<std::set<std::string>>());
  const trainer::AdamWConfig config;
  EXPECT_EQ(groups.at("betas"), nlohmann::json({config.beta1, config.beta2}));
  EXPECT_EQ(groups.at("eps").get<double>(), config.eps);
  EXPECT_EQ(groups.at("weight_decay"), nlohmann::json({config.weight_decay, 0, 0}));
}

// The steps are driven by the schedule; what the fixture stores must come out of it.
void check_plan(const trainer::PatchEpoch& plan, const Tensors& io) {
  const auto expect_scalar = [&](const std::string& name, double found, const at::Tensor& expected) {
    expect_close(name, at::scalar_tensor(found, at::kDouble), expected, kStoredScalarLimit);
  };
  expect_scalar("alpha", plan.losses.balance, io["alpha"]);
  expect_scalar("lr backbone", plan.rates.backbone, io["lr"][0]);
  expect_scalar("lr backbone_norm", plan.rates.backbone, io["lr"][1]);
  expect_scalar("lr router", plan.rates.router, io["lr"][2]);
  expect_scalar("noise_level", plan.phase.noise_level, io["noise_level"]);
  expect_scalar("temperature", plan.phase.temperature, io["temperature"]);
}

trainer::MixDraw stored_mix(const Tensors& io, const std::string& prefix) {
  const at::Tensor& center = io[prefix + "box_center_xy"];
  return {io[prefix + "use_cutmix"].item<double>() != 0, io[prefix + "lam"].item<double>(), io[prefix + "perm"],
          center[0].item<int64_t>(), center[1].item<int64_t>()};
}

trainer::RouterDraws stored_noise(const Tensors& io, const std::string& prefix) {
  trainer::RouterDraws draws;
  for (int64_t layer = 0; layer < 8; ++layer) {
    const std::string name = prefix + "noise01.layer" + std::to_string(layer);
    if (io.has(name)) draws[layer] = io[name];
  }
  return draws;
}

void check_routing(const trainer::NetworkOutput& out, const Tensors& io, const std::string& prefix, double limit) {
  for (const auto& [layer, routing] : out.routing) {
    const std::string name = prefix + "layer" + std::to_string(layer) + ".";
    expect_equal(name + "assigned_expert", routing.expert, io[name + "assigned_expert"]);
    expect_equal(name + "slot", routing.slot, io[name + "slot"]);
    expect_close(name + "scaled_logits", routing.scaled_logits, io[name + "scaled_logits"], limit);
    expect_close(name + "z_loss", routing.z_loss, io[name + "z_loss"], limit);
    expect_close(name + "balance_loss", routing.balance_loss, io[name + "balance_loss"], limit);
    expect_close(name + "diversity_loss", routing.diversity_loss, io[name + "diversity_loss"], limit);
  }
}

/// How far the weights are from the stored ones, pooled over all parameters.
struct WeightErrors {
  int64_t elements = 0;
  int64_t beyond_1e5 = 0;
  double largest = 0;

  void add(const at::Tensor& found, const at::Tensor& expected) {
    const at::Tensor error = (found.detach() - expected).abs();
    elements += error.numel();
    beyond_1e5 += error.le(1e-5).logical_not().sum().item<int64_t>();  // negated, so that a NaN counts
    largest = std::max(largest, error.max().item<double>());
  }
};

// AdamW divides by the gradient's size: where that is near eps, rounding decides the direction of a whole step.
void check_weights(const PatchNet& net, const Tensors& io, const std::string& prefix, double rate, int steps) {
  WeightErrors errors;
  for (const auto& item : net.named_parameters()) errors.add(item.value(), io[prefix + item.key()]);
  EXPECT_LE(double(errors.beyond_1e5), 1e-3 * double(errors.elements)) << prefix;
  EXPECT_LE(errors.largest, 2.5 * rate * steps) << prefix;
  for (const auto& item : net.named_buffers()) {
    const at::Tensor& expected = io[prefix + item.key()];
    if (expected.scalar_type() == at::kLong) {
      expect_equal(prefix + item.key(), item.value(), expected);
    } else {
      expect_close(prefix + item.key(), item.value(), expected, kWeightsAfterStepsLimit);
    }
  }
}

class Steps {
 public:
  explicit Steps(const Fixture& fixture)
      : io_(fixture.io()),
        net_(patch_config(fixture.config, fixture.name)),
        optimiser_(net_, adamw_config(fixture)),
        plan_(trainer::patch_epoch(recipe_of(fixture.config), fixture.config.at("epoch").get<int64_t>())) {
    trainer::load_state_dict(net_, safetensors::read(fixture.state_dict()), fixture.state_dict());
    net_.train();
    net_.set_phase(plan_.phase, plan_.losses);
    trainer::freeze_routers(net_, plan_.phase.uniform);
    check_plan(plan_, io_);
  }

  void check(int step) {
    const std::string prefix = "step" + std::to_string(step) + ".";
    // From the second step on the weights themselves are only equal within their own limit.
    const double limit = step == 0 ? kPatchNetworkLimit : kNetworkGradientLimit;
    optimiser_.zero_grad();
    total_loss(prefix, limit).backward();
    if (step == 0) expect_gradients(net_, io_, prefix, kNetworkGradientLimit);
    clip(prefix);
    optimiser_.step(plan_.rates);
    check_weights(net_, io_, step == 0 ? "step0.after." : "after.", plan_.rates.backbone, step + 1);
  }

 private:
  static trainer::AdamWConfig adamw_config(const Fixture& fixture) {
    trainer::AdamWConfig config;
    config.weight_decay = fixture.config.at("recipe").value("weight_decay", config.weight_decay);
    return config;
  }

  at::Tensor total_loss(const std::string& prefix, double limit) {
    const trainer::MixedBatch batch = trainer::mix(io_[prefix + "input"], stored_mix(io_, prefix));
    expect_close(prefix + "mixed", batch.images, io_[prefix + "mixed"], kMixedLimit);
    const trainer::RouterDraws noise = stored_noise(io_, prefix);
    const trainer::NetworkOutput out = net_.forward(batch.images, &noise);
    const at::Tensor loss = trainer::mixed_cross_entropy(out.logits, io_[prefix + "target"], batch, kLabelSmoothing);
    check_routing(out, io_, prefix, limit);
    expect_close(prefix + "logits", out.logits, io_[prefix + "logits"], limit);
    expect_close(prefix + "loss_class", loss, io_[prefix + "loss_class"], limit);
    expect_close(prefix + "loss_aux", out.aux_loss, io_[prefix + "loss_aux"], limit);
    expect_close(prefix + "loss_total", loss + out.aux_loss, io_[prefix + "loss_total"], limit);
    return loss + out.aux_loss;
  }

  void clip(const std::string& prefix) {
    const double router = trainer::clip_gradients(trainer::router_parameters(net_), kRouterNorm);
    const double backbone = trainer::clip_gradients(trainer::backbone_parameters(net_), kBackboneNorm);
    expect_close(prefix + "grad_norm_router", at::scalar_tensor(router), io_[prefix + "grad_norm_router"],
                 kNetworkGradientLimit);
    expect_close(prefix + "grad_norm_backbone", at::scalar_tensor(backbone), io_[prefix + "grad_norm_backbone"],
                 kNetworkGradientLimit);
  }

  Tensors io_;
  PatchNet net_;
  trainer::AdamW optimiser_;
  trainer::PatchEpoch plan_;
};

}  // namespace

void check_patch_schedules(const Fixture& fixture) {
  check_epochs(read_json(fixture.folder + "/schedules.json"), recipe_of(fixture.config));
  const PatchNet net(patch_config(fixture.config.at("net"), fixture.name));
  check_groups(read_json(fixture.folder + "/param_groups.json"), net);
}

void check_patch_steps(const Fixture& fixture) {
  Steps steps(fixture);
  for (int step = 0; step < fixture.config.at("steps").get<int>(); ++step) steps.check(step);
}

}  // namespace moefb::golden
