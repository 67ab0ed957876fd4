#include "trainer/train/augment_config.h"

#include <nlohmann/json.hpp>

namespace moefb::trainer {

void read_augment_config(Settings& train, int64_t image, AugmentConfig& config) {
  // Reflection needs more pixels than it adds.
  config.crop_padding = int(train.integer("crop_padding", config.crop_padding, 0, image - 1));
  config.reflect = train.boolean("crop_reflect", config.reflect);
  config.flip = train.boolean("flip", config.flip);
  config.flip_alternates = train.boolean("flip_alternates", config.flip_alternates);
}

nlohmann::ordered_json augment_json(const AugmentConfig& config) {
  return {
      {"crop_padding", config.crop_padding},
      {"crop_reflect", config.reflect},
      {"flip", config.flip},
      {"flip_alternates", config.flip_alternates},
  };
}

}  // namespace moefb::trainer
