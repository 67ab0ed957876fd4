#include "trainer/train/routing_meter.h"

#include <ATen/ATen.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "trainer/train/patch_meter.h"
#include "trainer/train/routing_stats.h"

namespace moefb::trainer {
namespace {

class NoMeter : public RoutingMeter {
 public:
  void add(const NetworkOutput&) override {}
  nlohmann::ordered_json record() const override { return nlohmann::ordered_json::object(); }
  std::string describe() const override { return ""; }
  std::vector<double> sums() const override { return {}; }
  void set_sums(const std::vector<double>&) override {}
};

class HeadMeter : public RoutingMeter {
 public:
  HeadMeter(int64_t experts, bool sparse) : stats_(experts), sparse_(sparse) {}

  void add(const NetworkOutput& out) override { stats_.add(out.head.probs); }

  nlohmann::ordered_json record() const override {
    nlohmann::ordered_json json = {{"util", stats_.utilisation()}, {"entropy", stats_.entropy()}};
    if (sparse_) json["load"] = stats_.load();
    return json;
  }

  std::string describe() const override {
    std::string text;
    char line[96];
    const std::vector<double> utilisation = stats_.utilisation();
    for (size_t e = 0; e < utilisation.size(); ++e) {
      std::snprintf(line, sizeof(line), "expert %2zu: %5.1f %% of the mixture\n", e, 100 * utilisation[e]);
      text += line;
    }
    std::snprintf(line, sizeof(line), "routing entropy %.3f nats\n", stats_.entropy());
    return text + line;
  }

  std::vector<double> sums() const override {
    const at::Tensor sums = stats_.sums();
    return {sums.const_data_ptr<double>(), sums.const_data_ptr<double>() + sums.numel()};
  }

  void set_sums(const std::vector<double>& sums) override {
    if (int64_t(sums.size()) != stats_.sums().numel()) {
      throw std::runtime_error("routing sums: expected " + std::to_string(stats_.sums().numel()) + " numbers, found " +
                               std::to_string(sums.size()));
    }
    stats_.set_sums(at::tensor(sums, at::kDouble));
  }

 private:
  RoutingStats stats_;
  bool sparse_;
};

}  // namespace

std::unique_ptr<RoutingMeter> make_routing_meter(const NetworkConfig& config) {
  if (const auto* patches = std::get_if<PatchNetConfig>(&config)) {
    return std::make_unique<PatchMeter>(patches->moe_layers(), patches->num_experts);
  }
  const auto* cifar = std::get_if<ModelConfig>(&config);
  if (!cifar || cifar->head == HeadKind::kDense) return std::make_unique<NoMeter>();
  return std::make_unique<HeadMeter>(cifar->num_experts, cifar->head == HeadKind::kSparse);
}

}  // namespace moefb::trainer
