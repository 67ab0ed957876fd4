// What golden_trainer_test does with each kind of fixture.
#pragma once

#include "golden_fixtures.h"
#include "trainer/models/draws.h"
#include "trainer/models/model_config.h"
#include "trainer/models/patch_router.h"

namespace moefb::golden {

void check_head(const Fixture& fixture);           ///< cifar_head
void check_whole_model(const Fixture& fixture);    ///< cifar_e2e
void check_head_training(const Fixture& fixture);  ///< cifar_head_train
void check_steps(const Fixture& fixture);          ///< cifar_train_step
void check_losses(const Fixture& fixture);         ///< cifar_losses
void check_routing_stats(const Fixture& fixture);  ///< cifar_metrics
void check_hessian(const Fixture& fixture);        ///< cifar_hessian

void check_patch_extraction(const Fixture& fixture);  ///< patch_extract
void check_patch_module(const Fixture& fixture);      ///< patch_module
void check_patch_router(const Fixture& fixture);      ///< patch_router
void check_patch_net(const Fixture& fixture);         ///< patch_net
void check_patch_schedules(const Fixture& fixture);   ///< patch_schedules
void check_patch_steps(const Fixture& fixture);       ///< patch_train_step

// Limits of the fixtures' README, relative to the largest reference value.
inline constexpr double kForwardLimit = 1e-5;  ///< heads, modules, routers
inline constexpr double kNetworkLimit = 2e-5;  ///< maps and logits of whole models: design.md, section 6
inline constexpr double kPatchNetworkLimit = 5e-5;
inline constexpr double kHeadGradientLimit = 5e-5;
inline constexpr double kNetworkGradientLimit = 2e-4;
inline constexpr double kWeightsAfterStepsLimit = 1e-4;

trainer::ModelConfig model_config(const Fixture& fixture);
trainer::PatchNetConfig patch_config(const nlohmann::json& keys, const std::string& source);

/// Temperature and mode that a fixture of the patch family was made with.
trainer::RoutingPhase routing_phase(const Fixture& fixture);

/// Whether scores tie at the k-th place, so that which expert is taken is the framework's choice and must be injected.
bool has_ties(const Fixture& fixture);

}  // namespace moefb::golden
