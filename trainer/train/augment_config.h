// The keys of a [train] table that say how pictures are varied.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "trainer/data/augment.h"
#include "trainer/models/settings.h"

namespace moefb::trainer {

/// @param image   side of the model's pictures
/// @param config  what absent keys mean
void read_augment_config(Settings& train, int64_t image, AugmentConfig& config);
nlohmann::ordered_json augment_json(const AugmentConfig& config);

}  // namespace moefb::trainer
