// Networks of every family, small enough to have their Hessian worked out in full.
#pragma once

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "trainer/analysis/picture_sample.h"
#include "trainer/models/network_config.h"

namespace moefb::trainer {

/// In f64 and evaluation mode, BatchNorm statistics away from 0 and 1.
inline std::shared_ptr<Network> small_network(const nlohmann::json& keys) {
  Settings settings(keys, "test");
  const NetworkConfig config = read_network_config(settings);
  at::manual_seed(11);
  auto network = make_network(config);
  network->module().to(at::kDouble);
  network->module().eval();
  const at::NoGradGuard no_grad;
  for (const auto& buffer : network->module().named_buffers()) {
    if (buffer.key().ends_with("running_var")) at::Tensor(buffer.value()).fill_(0.5);
    if (buffer.key().ends_with("running_mean")) at::Tensor(buffer.value()).fill_(0.1);
  }
  // At first a patch network's experts count for nearly nothing.
  for (const auto& parameter : network->module().named_parameters()) {
    if (parameter.key().ends_with("gamma")) at::Tensor(parameter.value()).fill_(0.7);
  }
  return network;
}

/// Noise of unit deviation, in batches of unequal size.
inline PictureSample noise_pictures(int64_t side, const std::vector<int64_t>& batches, int64_t classes) {
  const at::Generator generator = at::detail::createCPUGenerator(5);
  PictureSample sample;
  for (const int64_t n : batches) {
    sample.push_back(
        {at::randn({n, 3, side, side}, generator, at::kDouble), at::randint(classes, {n}, generator, at::kLong)});
  }
  return sample;
}

inline nlohmann::json head_keys(const std::string& head) {
  nlohmann::json keys = {{"kind", "cifar_e2e"}, {"head", head}, {"num_classes", 3}, {"image", 8}, {"width0", 1}};
  if (head == "dense") keys["width"] = 6;
  if (head != "dense") keys.update({{"num_experts", 4}, {"hidden_mult", 0.5}});
  if (head == "sparse") keys["k"] = 2;
  return keys;
}

inline nlohmann::json patch_keys() {
  return {{"kind", "patch_net"}, {"num_classes", 3},         {"image", 16},
          {"base_channels", 2},  {"layer_number", 3},        {"num_experts", 2},
          {"patch_size", 4},     {"router_temp", 1},         {"capacity_factor_val", 1.5},
          {"expert_kernel", 3},  {"capacity_group", "batch"}};
}

}  // namespace moefb::trainer
