#include "trainer/train/augment_config.h"

#include <nlohmann/json.hpp>

namespace moefb::trainer {
namespace {

const std::vector<std::string> kBases = {"none", "published"};
constexpr double kMaxAspect = 100;

void read_crop(Settings& train, int64_t image, AugmentConfig& config) {
  // Reflection needs more pixels than it adds.
  config.crop_padding = int(train.integer("crop_padding", config.crop_padding, 0, image - 1));
  config.reflect = train.boolean("crop_reflect", config.reflect);
  config.flip = train.boolean("flip", config.flip);
  config.flip_alternates = train.boolean("flip_alternates", config.flip_alternates);
  config.resized_crop = train.boolean("resized_crop", config.resized_crop);
  config.area_min = train.number("crop_area_min", config.area_min, 1e-4, 1);
  config.area_max = train.number("crop_area_max", config.area_max, config.area_min, 1);
  config.aspect_min = train.number("crop_aspect_min", config.aspect_min, 1 / kMaxAspect, kMaxAspect);
  config.aspect_max = train.number("crop_aspect_max", config.aspect_max, config.aspect_min, kMaxAspect);
}

void read_colour(Settings& train, AugmentConfig& config) {
  config.grayscale = train.number("grayscale", config.grayscale, 0, 1);
  config.jitter.brightness = train.number("jitter_brightness", config.jitter.brightness, 0, 10);
  config.jitter.contrast = train.number("jitter_contrast", config.jitter.contrast, 0, 10);
  config.jitter.saturation = train.number("jitter_saturation", config.jitter.saturation, 0, 10);
  config.jitter.hue = train.number("jitter_hue", config.jitter.hue, 0, 0.5);
}

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
  read_crop(train, image_side(network), config);
  read_colour(train, config);
  config.rand_augment_operations =
      int(train.integer("rand_augment_operations", config.rand_augment_operations, 0, 100));
  config.rand_augment_magnitude = int(train.integer("rand_augment_magnitude", config.rand_augment_magnitude, 0, 30));
  config.erasing = train.number("erasing", config.erasing, 0, 1);
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
