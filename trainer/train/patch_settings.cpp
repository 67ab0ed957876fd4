#include "trainer/train/patch_settings.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "converter/atomic_file.h"
#include "converter/strict_json.h"

namespace moefb::trainer {
namespace {

/// Without these a checkpoint says too little: no tensor's size gives them away.
const std::vector<std::string> kNeeded = {"image", "patch_size", "router_temp", "capacity_factor_val"};
const std::vector<std::string> kOptional = {"kind",           "num_classes",   "base_channels",
                                            "layer_number",   "num_experts",   "capacity_factor_train",
                                            "capacity_group", "drop_policy",   "combine_weight",
                                            "crop_padding",   "expert_kernel", "post_kernel",
                                            "class_names",    "mean",          "std",
                                            "resize",         "resize_to",     "filter"};

constexpr float kImagenetMean[3] = {0.485f, 0.456f, 0.406f};
constexpr float kImagenetStddev[3] = {0.229f, 0.224f, 0.225f};

nlohmann::json read_json(const std::string& path) {
  const std::vector<std::byte> bytes = read_file(path);
  return parse_json_object({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path);
}

nlohmann::json model_keys(const nlohmann::json& json, const std::string& path) {
  nlohmann::json out = {{"kind", "patch_net"}};
  for (const std::string& key : kNeeded) {
    if (!json.contains(key)) {
      throw std::runtime_error(path + ": " + key + ": missing; the checkpoint does not hold it");
    }
    out[key] = json[key];
  }
  for (const std::string& key : kOptional) {
    if (json.contains(key)) out[key] = json[key];
  }
  if (out["kind"] == "patch_net") return out;
  throw std::runtime_error(path + ": kind: expected patch_net, found " + out["kind"].dump());
}

/// First size of a tensor.
int64_t rows(const safetensors::File& weights, const std::string& key, const std::string& name) {
  const auto found = weights.tensors.find(key);
  if (found == weights.tensors.end()) throw std::runtime_error(name + ": tensor " + key + " is missing");
  if (!found->second.shape.empty()) return found->second.shape[0];
  throw std::runtime_error(name + ": tensor " + key + ": expected at least 1 dimension, found 0");
}

/// One more than the largest I in keys that begin with `prefix` I "."
int64_t count_numbered(const safetensors::File& weights, const std::string& prefix) {
  int64_t count = 0;
  for (const auto& [key, tensor] : weights.tensors) {
    if (!key.starts_with(prefix)) continue;
    const std::string number = key.substr(prefix.size(), key.find('.', prefix.size()) - prefix.size());
    const bool digits = !number.empty() && number.size() < 7 && std::all_of(number.begin(), number.end(), ::isdigit);
    if (digits) count = std::max<int64_t>(count, std::stol(number) + 1);
  }
  return count;
}

/// @return kernel side of a convolution in each MoE layer
std::vector<int64_t> kernel_sides(const safetensors::File& weights, int64_t layers, const std::string& part) {
  std::vector<int64_t> sides;
  for (int64_t layer = 0; layer < layers; ++layer) {
    const auto found = weights.tensors.find("layers." + std::to_string(layer) + part);
    if (found != weights.tensors.end() && found->second.shape.size() == 4) sides.push_back(found->second.shape[3]);
  }
  return sides;
}

void add_sizes(const safetensors::File& weights, const std::string& name, nlohmann::json& json) {
  const auto settle = [&json](const char* key, const nlohmann::json& value) {
    if (!json.contains(key)) json[key] = value;
  };
  settle("num_classes", rows(weights, "prediction_head.0.weight", name));
  settle("base_channels", rows(weights, "stem.0.weight", name));
  const int64_t layers = count_numbered(weights, "layers.");
  settle("layer_number", layers);
  settle("num_experts", count_numbered(weights, "layers.0.experts."));
  const auto experts = kernel_sides(weights, layers, ".experts.0.conv_block.0.weight");
  const auto posts = kernel_sides(weights, layers, ".post_block.0.weight");
  if (!experts.empty()) settle("expert_kernel", experts);
  if (!posts.empty()) settle("post_kernel", posts);
}

/// What resolve() asks of a data set; the pictures are not at hand.
Dataset describe_classes(const RunConfig& config, int64_t classes) {
  Dataset dataset;
  dataset.name = config.data.name;
  dataset.class_names = config.class_names;
  for (int64_t c = 0; config.class_names.empty() && c < classes; ++c) {
    dataset.class_names.push_back("class " + std::to_string(c));
  }
  for (int c = 0; c < 3; ++c) {
    dataset.mean[c] = config.data.mean ? (*config.data.mean)[size_t(c)] : kImagenetMean[c];
    dataset.stddev[c] = config.data.stddev ? (*config.data.stddev)[size_t(c)] : kImagenetStddev[c];
  }
  return dataset;
}

}  // namespace

RunConfig read_patch_settings(const std::string& path, const safetensors::File& weights,
                              const std::string& weights_name) {
  nlohmann::json json = model_keys(read_json(path), path);
  add_sizes(weights, weights_name, json);
  json["data"] = {{"name", "folder"}};
  RunConfig config = parse_run_config(json, path);
  resolve(config, describe_classes(config, num_classes(config.model)));
  return config;
}

}  // namespace moefb::trainer
