// Which network a configuration describes: one of the families, by its key `kind`.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <variant>

#include "trainer/models/model_config.h"
#include "trainer/models/network.h"
#include "trainer/models/patch_config.h"
#include "trainer/models/patch_dispatch.h"

namespace moefb::trainer {

/// The dense comparison of the patch networks: kind `resnet18`.
struct Resnet18Config {
  int64_t num_classes = 0;  ///< 0: the data set's
  int64_t image = 224;      ///< side of the input pictures
  int64_t width0 = 64;      ///< channels of the first stage
};

using NetworkConfig = std::variant<ModelConfig, PatchNetConfig, Resnet18Config>;

/// Reads the model keys of the kind that the configuration names. @throws std::runtime_error as Settings does
NetworkConfig read_network_config(Settings& settings);
void write_network_config(const NetworkConfig& config, nlohmann::ordered_json& json);

int64_t& num_classes(NetworkConfig& config);
/// Side of the input pictures. @pre they are square
int64_t image_side(const NetworkConfig& config);

/// With weights drawn from the default generator. @pre num_classes is set
/// @param group  the processes that train it together; must outlive it
std::shared_ptr<Network> make_network(const NetworkConfig& config, DispatchKind dispatch = DispatchKind::kIndex,
                                      const Group& group = alone());

}  // namespace moefb::trainer
