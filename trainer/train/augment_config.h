// The keys of a [train] table that say how pictures are varied.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "trainer/data/augment.h"
#include "trainer/models/network_config.h"

namespace moefb::trainer {

/// As published for the family: nothing for the heads (spec/cifar-heads.md, section 13, flaw 1), much for patch
/// networks and their dense comparison (spec/patch-moe.md, section 9).
AugmentConfig published_augmentation(const NetworkConfig& network);

/// Key `augmentation` says what absent keys mean: `published` (the default) or `none`.
AugmentConfig read_augment_config(Settings& train, const NetworkConfig& network);
nlohmann::ordered_json augment_json(const AugmentConfig& config);

}  // namespace moefb::trainer
