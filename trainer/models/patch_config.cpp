#include "trainer/models/patch_config.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

namespace moefb::trainer {
namespace {

const std::vector<std::string> kCapacityGroups = {"batch", "image", "none"};
const std::vector<std::string> kDropPolicies = {"residual", "second_choice"};
const std::vector<std::string> kCombineWeights = {"published", "gate"};

constexpr int64_t kPublishedKernel = 3;
constexpr int64_t kMaxLayers = 64;
constexpr int64_t kMaxImage = 4096;
constexpr double kMaxFactor = 1e6;

void read_image(Settings& settings, PatchNetConfig& config) {
  const std::vector<int64_t> size =
      settings.one_or_more("image", {config.image_height, config.image_width}, 1, kMaxImage);
  if (size.size() > 2) {
    settings.fail("image", "expected one number or [height, width], found " + std::to_string(size.size()) + " numbers");
  }
  config.image_height = size.front();
  config.image_width = size.back();
}

// One number for all MoE layers, or one for each.
std::vector<int64_t> read_kernel(Settings& settings, const char* key, int64_t moe_layers) {
  std::vector<int64_t> sides = settings.one_or_more(key, {kPublishedKernel}, 1, 3);
  if (sides.size() == 1) sides.resize(size_t(moe_layers), sides.front());
  if (int64_t(sides.size()) != moe_layers) {
    settings.fail(key, "expected one number or " + std::to_string(moe_layers) + ", one for each MoE layer, found " +
                           std::to_string(sides.size()));
  }
  if (std::find(sides.begin(), sides.end(), 2) != sides.end()) settings.fail(key, "expected 1 or 3, found 2");
  return sides;
}

void read_layers(Settings& settings, PatchNetConfig& config) {
  config.num_classes = settings.integer("num_classes", config.num_classes, 1, 1 << 16);
  config.base_channels = settings.integer("base_channels", config.base_channels, 1, 1024);
  config.layer_number = settings.integer("layer_number", config.layer_number, 1, kMaxLayers);
  config.num_experts = settings.integer("num_experts", config.num_experts, 1, 1024);
  config.patch_size = settings.integer("patch_size", config.patch_size, 1, kMaxImage);
  config.identity_stem = settings.boolean("identity_stem", config.identity_stem);
  config.crop_padding = settings.boolean("crop_padding", config.crop_padding);
  config.expert_kernel = read_kernel(settings, "expert_kernel", config.moe_layers());
  config.post_kernel = read_kernel(settings, "post_kernel", config.moe_layers());
}

void read_router(Settings& settings, PatchNetConfig& config) {
  RouterOptions& router = config.router;
  config.router_temp = settings.number("router_temp", config.router_temp, 1e-6, 1e6);
  router.capacity_factor_train =
      settings.number("capacity_factor_train", router.capacity_factor_train, 1e-6, kMaxFactor);
  router.capacity_factor_val = settings.number("capacity_factor_val", router.capacity_factor_val, 1e-6, kMaxFactor);
  router.capacity_group =
      CapacityGroup(settings.choice("capacity_group", size_t(router.capacity_group), kCapacityGroups));
  router.drop_policy = DropPolicy(settings.choice("drop_policy", size_t(router.drop_policy), kDropPolicies));
  router.combine_weight =
      CombineWeight(settings.choice("combine_weight", size_t(router.combine_weight), kCombineWeights));
}

// GroupNorm splits the channels of every level into 8 equal groups, or into single channels if there are fewer.
void check_channels(const Settings& settings, const PatchNetConfig& config) {
  int64_t channels = config.base_channels;
  for (int64_t layer = 0; layer < config.layer_number; ++layer) {
    if (!PatchNetConfig::is_moe(layer)) channels *= 2;
    if (channels <= 8 || channels % 8 == 0) continue;
    settings.fail("base_channels", "gives layer " + std::to_string(layer) + " " + std::to_string(channels) +
                                       " channels; GroupNorm needs a multiple of 8, or at most 8");
  }
}

void write_kernel(const std::vector<int64_t>& sides, const char* key, nlohmann::ordered_json& json) {
  const auto published = [](int64_t side) { return side == kPublishedKernel; };
  if (!std::all_of(sides.begin(), sides.end(), published)) json[key] = sides;
}

}  // namespace

int64_t PatchNetConfig::moe_layers() const {
  int64_t count = 0;
  for (int64_t layer = 0; layer < layer_number; ++layer) count += is_moe(layer) ? 1 : 0;
  return count;
}

void PatchNetConfig::use_kernels(int64_t expert, int64_t post) {
  expert_kernel.assign(size_t(moe_layers()), expert);
  post_kernel.assign(size_t(moe_layers()), post);
}

PatchNetConfig read_patch_config(Settings& settings) {
  PatchNetConfig config;
  read_image(settings, config);
  read_layers(settings, config);
  read_router(settings, config);
  check_channels(settings, config);
  return config;
}

void write_patch_config(const PatchNetConfig& config, nlohmann::ordered_json& json) {
  json["kind"] = "patch_net";
  json["num_classes"] = config.num_classes;
  json["image"] = {config.image_height, config.image_width};
  json["base_channels"] = config.base_channels;
  json["layer_number"] = config.layer_number;
  json["num_experts"] = config.num_experts;
  json["patch_size"] = config.patch_size;
  json["router_temp"] = config.router_temp;
  json["capacity_factor_train"] = config.router.capacity_factor_train;
  json["capacity_factor_val"] = config.router.capacity_factor_val;
  json["capacity_group"] = kCapacityGroups[size_t(config.router.capacity_group)];
  json["drop_policy"] = kDropPolicies[size_t(config.router.drop_policy)];
  json["combine_weight"] = kCombineWeights[size_t(config.router.combine_weight)];
  json["crop_padding"] = config.crop_padding;
  json["identity_stem"] = config.identity_stem;
  write_kernel(config.expert_kernel, "expert_kernel", json);
  write_kernel(config.post_kernel, "post_kernel", json);
}

}  // namespace moefb::trainer
