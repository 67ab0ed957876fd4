#include "trainer/train/patch_schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace moefb::trainer {
namespace {

constexpr double kRateFloor = 0.1;     ///< of the peak, at the end
constexpr double kBalanceStart = 0.4;  ///< share of the routed epochs before the balance loss begins to fade
constexpr double kNoiseStart = 0.3;    ///< likewise of the noise

/// Half a cosine from 1 at epoch `first` to 0 at epoch `last`, constant on both sides.
double fade(int64_t epoch, int64_t first, int64_t last) {
  const double done = double(epoch - first) / double(std::max<int64_t>(1, last - first));
  return 0.5 * (1 + std::cos(std::numbers::pi * std::clamp(done, 0.0, 1.0)));
}

double between(double from, double to, double share_of_from) {
  return to + (from - to) * share_of_from;
}

/// The epoch after `share` of those with routing.
int64_t routed_epoch(const PatchRecipe& recipe, double share) {
  return recipe.uniform_epochs + int64_t(share * double(recipe.epochs - recipe.uniform_epochs));
}

double backbone_rate(const PatchRecipe& recipe, int64_t epoch) {
  const int64_t warmup = recipe.warmup_epochs;
  if (epoch < warmup) return recipe.learning_rate * double(epoch + 1) / double(warmup);
  return recipe.learning_rate * between(1, kRateFloor, fade(epoch, warmup, recipe.epochs));
}

/// From 1 / warm-up to 1, during the warm-up.
double router_warmth(const PatchRecipe& recipe, int64_t epoch) {
  return double(epoch - recipe.uniform_epochs + 1) / double(recipe.router_warmup_epochs);
}

bool router_warms_up(const PatchRecipe& recipe, int64_t epoch) {
  return epoch < recipe.uniform_epochs + recipe.router_warmup_epochs;
}

// As published the cosine has run since routing began, so that it goes on a step below where the warm-up ended.
double router_rate(const PatchRecipe& recipe, int64_t epoch) {
  const double peak = recipe.router_learning_rate;
  if (router_warms_up(recipe, epoch)) return peak * router_warmth(recipe, epoch);
  return peak * between(1, kRateFloor, fade(epoch, recipe.uniform_epochs, recipe.epochs));
}

double balance_weight(const PatchRecipe& recipe, int64_t epoch) {
  if (router_warms_up(recipe, epoch)) return recipe.balance_initial * router_warmth(recipe, epoch);
  const double share = fade(epoch, routed_epoch(recipe, kBalanceStart), recipe.epochs);
  return between(recipe.balance_initial, recipe.balance_final, share);
}

double temperature(const PatchRecipe& recipe, int64_t epoch) {
  const int64_t first = recipe.uniform_epochs + recipe.router_warmup_epochs;
  const int64_t last = std::min(first + recipe.temperature_epochs, recipe.epochs);
  return between(recipe.temperature_initial, recipe.temperature_final, fade(epoch, first, last));
}

}  // namespace

PatchEpoch patch_epoch(const PatchRecipe& recipe, int64_t epoch) {
  PatchEpoch plan;
  plan.rates.backbone = backbone_rate(recipe, epoch);
  plan.losses.diversity = recipe.diversity_weight;
  plan.phase.uniform = epoch < recipe.uniform_epochs;
  plan.phase.temperature = recipe.router_temp;
  if (plan.phase.uniform) return plan;
  plan.rates.router = router_rate(recipe, epoch);
  plan.losses.balance = balance_weight(recipe, epoch);
  plan.losses.z = recipe.z_weight;
  plan.phase.noise_level = recipe.noise * fade(epoch, routed_epoch(recipe, kNoiseStart), recipe.epochs);
  plan.phase.temperature = temperature(recipe, epoch);
  return plan;
}

}  // namespace moefb::trainer
