#include "trainer/models/network_config.h"

#include <nlohmann/json.hpp>
#include <string>

#include "trainer/models/cifar_net.h"
#include "trainer/models/patch_net.h"
#include "trainer/models/resnet18.h"

namespace moefb::trainer {
namespace {

const std::vector<std::string> kKinds = {"cifar_e2e", "patch_net", "resnet18"};

Resnet18Config read_resnet18_config(Settings& settings) {
  Resnet18Config config;
  config.num_classes = settings.integer("num_classes", config.num_classes, 1, 1 << 16);
  config.image = settings.integer("image", config.image, 1, 4096);
  config.width0 = settings.integer("width0", config.width0, 1, 1024);
  return config;
}

void write_config(const ModelConfig& config, nlohmann::ordered_json& json) {
  write_model_config(config, json);
}

void write_config(const PatchNetConfig& config, nlohmann::ordered_json& json) {
  write_patch_config(config, json);
}

void write_config(const Resnet18Config& config, nlohmann::ordered_json& json) {
  json["kind"] = "resnet18";
  json["num_classes"] = config.num_classes;
  json["image"] = config.image;
  json["width0"] = config.width0;
}

}  // namespace

NetworkConfig read_network_config(Settings& settings) {
  const size_t kind = settings.choice("kind", 0, kKinds);
  if (kKinds[kind] == "resnet18") return read_resnet18_config(settings);
  if (kKinds[kind] == "cifar_e2e") return read_model_config(settings);
  const PatchNetConfig config = read_patch_config(settings);
  if (config.image_height != config.image_width) {
    settings.fail("image", "the trainer takes square pictures, found " + std::to_string(config.image_height) + " x " +
                               std::to_string(config.image_width));
  }
  return config;
}

void write_network_config(const NetworkConfig& config, nlohmann::ordered_json& json) {
  std::visit([&json](const auto& one) { write_config(one, json); }, config);
}

int64_t& num_classes(NetworkConfig& config) {
  return std::visit([](auto& one) -> int64_t& { return one.num_classes; }, config);
}

int64_t image_side(const NetworkConfig& config) {
  if (const auto* patches = std::get_if<PatchNetConfig>(&config)) return patches->image_height;
  if (const auto* cifar = std::get_if<ModelConfig>(&config)) return cifar->image;
  return std::get<Resnet18Config>(config).image;
}

std::shared_ptr<Network> make_network(const NetworkConfig& config, DispatchKind dispatch, const Group& group) {
  if (const auto* patches = std::get_if<PatchNetConfig>(&config)) {
    return std::make_shared<PatchNet>(*patches, dispatch, group);
  }
  if (const auto* cifar = std::get_if<ModelConfig>(&config)) return std::make_shared<CifarNet>(*cifar, group);
  const auto& resnet = std::get<Resnet18Config>(config);
  return std::make_shared<Resnet18>(resnet.width0, resnet.num_classes, group);
}

}  // namespace moefb::trainer
