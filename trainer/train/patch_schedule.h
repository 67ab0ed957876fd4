// The published course of a patch network's training, epoch by epoch (spec/patch-moe.md, section 8).
#pragma once

#include <cstdint>

#include "trainer/models/network.h"
#include "trainer/train/optimizer.h"

namespace moefb::trainer {

/// Defaults are the published recipe. A shorter run should shorten its warm-ups too.
struct PatchRecipe {
  int64_t epochs = 150;
  double learning_rate = 1e-3;  ///< of the backbone, after its warm-up
  double router_learning_rate = 1e-3;
  int64_t warmup_epochs = 15;        ///< of the backbone
  int64_t uniform_epochs = 10;       ///< at first tokens are dealt out in turn, and the routers are frozen
  int64_t router_warmup_epochs = 5;  ///< after those
  double balance_initial = 0.05;     ///< weight of the balance loss
  double balance_final = 5e-4;
  double z_weight = 1e-4;
  double diversity_weight = 0.01;
  double noise = 0.05;
  double router_temp = 2.0;  ///< as constructed, of the uniform epochs
  double temperature_initial = 2.0;
  double temperature_final = 0.85;
  int64_t temperature_epochs = 120;  ///< from the routers' warm-up on
};

/// What holds for one epoch.
struct PatchEpoch {
  LearningRates rates;
  RoutingPhase phase;  ///< uniform: freeze_routers()
  RouterLossWeights losses;
};

/// @param epoch  from 0
PatchEpoch patch_epoch(const PatchRecipe& recipe, int64_t epoch);

}  // namespace moefb::trainer
