// The router metrics of a patch network, from what its layers say of each batch (spec/patch-moe.md, section 10).
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "moefb/metrics.h"
#include "trainer/train/routing_meter.h"

namespace moefb::trainer {

class PatchMeter : public RoutingMeter {
 public:
  PatchMeter(int64_t moe_layers, int64_t experts);

  void add(const NetworkOutput& out) override;
  nlohmann::ordered_json record() const override;
  std::string describe() const override;
  std::vector<double> sums() const override;
  void set_sums(const std::vector<double>& sums) override;

 private:
  RouterMetrics metrics_;
  std::vector<int64_t> layers_;  ///< published indices
};

}  // namespace moefb::trainer
