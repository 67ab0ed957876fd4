#include "trainer/train/augment_config.h"

#include <nlohmann/json.hpp>

#include "trainer/data/augment_limits.h"

namespace moefb::trainer {
namespace {

const std::vector<std::string> kBases = {"none", "published"};

/// Reads options where visit_limits() meets them.
struct Reader {
  Settings& train;

  void operator()(const char* key, int& value, int64_t least, int64_t most) const {
    value = int(train.integer(key, value, least, most));
  }
  void operator()(const char* key, double& value, double least, double most) const {
    value = train.number(key, value, least, most);
  }
};

}  // namespace

AugmentConfig published_augmentation(const NetworkConfig& network) {
  AugmentConfig config;
  if (std::holds_alternative<ModelConfig>(network)) return config;
  config.resized_crop = true;
  config.flip = true;
  config.grayscale = 0.1;
  config.jitter = {0.4, 0.4, 0.4, 0.1};
  config.rand_augment_operations = 2;
  config.rand_augment_magnitude = 9;
  config.erasing = 0.25;
  return config;
}

AugmentConfig read_augment_config(Settings& train, const NetworkConfig& network) {
  const bool published = kBases[train.choice("augmentation", 1, kBases)] == "published";
  AugmentConfig config = published ? published_augmentation(network) : AugmentConfig{};
  config.reflect = train.boolean("crop_reflect", config.reflect);
  config.flip = train.boolean("flip", config.flip);
  config.flip_alternates = train.boolean("flip_alternates", config.flip_alternates);
  config.resized_crop = train.boolean("resized_crop", config.resized_crop);
  visit_limits(config, image_side(network), Reader{train});
  return config;
}

nlohmann::ordered_json augment_json(const AugmentConfig& config) {
  return {
      {"crop_padding", config.crop_padding},
      {"crop_reflect", config.reflect},
      {"flip", config.flip},
      {"flip_alternates", config.flip_alternates},
      {"resized_crop", config.resized_crop},
      {"crop_area_min", config.area_min},
      {"crop_area_max", config.area_max},
      {"crop_aspect_min", config.aspect_min},
      {"crop_aspect_max", config.aspect_max},
      {"grayscale", config.grayscale},
      {"jitter_brightness", config.jitter.brightness},
      {"jitter_contrast", config.jitter.contrast},
      {"jitter_saturation", config.jitter.saturation},
      {"jitter_hue", config.jitter.hue},
      {"rand_augment_operations", config.rand_augment_operations},
      {"rand_augment_magnitude", config.rand_augment_magnitude},
      {"erasing", config.erasing},
  };
}

}  // namespace moefb::trainer
