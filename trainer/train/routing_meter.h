// How a network used its experts over one pass: heads as in spec/cifar-heads.md, section 12.1, patch networks as in
// spec/patch-moe.md, section 10.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "trainer/models/network_config.h"

namespace moefb::trainer {

class RoutingMeter {
 public:
  virtual ~RoutingMeter() = default;

  /// Counts one batch.
  virtual void add(const NetworkOutput& out) = 0;

  /// What metrics.jsonl stores, under the published names; an empty object where nothing routes. Heads: `util`,
  /// `entropy`, `load` (sparse); patch networks: `router`, with all layers in `layers`.
  virtual nlohmann::ordered_json record() const = 0;
  /// The same for a person: lines that end in a newline; empty where nothing routes.
  virtual std::string describe() const = 0;

  /// Everything counted so far, to be saved in the middle of a pass and restored.
  virtual std::vector<double> sums() const = 0;
  /// @throws std::runtime_error  not as many as sums() has
  virtual void set_sums(const std::vector<double>& sums) = 0;
};

/// A meter that has counted nothing.
std::unique_ptr<RoutingMeter> make_routing_meter(const NetworkConfig& config);

}  // namespace moefb::trainer
