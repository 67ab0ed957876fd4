#include "trainer/train/patience.h"

#include <nlohmann/json.hpp>

namespace moefb::trainer {

int64_t epochs_without_improvement(std::span<const double> val_acc, double min_delta) {
  int64_t waited = 0;
  double best = -1 - min_delta;
  for (const double accuracy : val_acc) {
    const bool better = accuracy - min_delta > best;
    if (better) best = accuracy;
    waited = better ? 0 : waited + 1;
  }
  return waited;
}

bool patience_is_over(const PatienceConfig& config, const std::vector<nlohmann::ordered_json>& epochs) {
  if (config.epochs == 0) return false;
  std::vector<double> val_acc;
  for (const auto& epoch : epochs) val_acc.push_back(epoch.at("val_acc").get<double>());
  return epochs_without_improvement(val_acc, config.min_delta) >= config.epochs;
}

}  // namespace moefb::trainer
