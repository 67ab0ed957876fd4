// What golden_trainer_test does with each kind of fixture.
#pragma once

#include "golden_fixtures.h"
#include "trainer/models/draws.h"
#include "trainer/models/model_config.h"

namespace moefb::golden {

void check_head(const Fixture& fixture);           ///< cifar_head
void check_whole_model(const Fixture& fixture);    ///< cifar_e2e
void check_head_training(const Fixture& fixture);  ///< cifar_head_train
void check_steps(const Fixture& fixture);          ///< cifar_train_step
void check_losses(const Fixture& fixture);         ///< cifar_losses
void check_routing_stats(const Fixture& fixture);  ///< cifar_metrics

// Limits of the fixtures' README, relative to the largest reference value.
inline constexpr double kForwardLimit = 1e-5;  ///< heads
inline constexpr double kNetworkLimit = 2e-5;  ///< maps and logits of whole models: design.md, section 6
inline constexpr double kHeadGradientLimit = 5e-5;
inline constexpr double kNetworkGradientLimit = 2e-4;
inline constexpr double kWeightsAfterStepsLimit = 1e-4;

trainer::ModelConfig model_config(const Fixture& fixture);

/// Whether scores tie at the k-th place, so that which expert is taken is the framework's choice and must be injected.
bool has_ties(const Fixture& fixture);

}  // namespace moefb::golden
