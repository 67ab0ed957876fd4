// Early stopping: a run that no longer gets better ends.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <vector>

namespace moefb::trainer {

/// As Keras and Lightning's EarlyStopping have them, on the validation accuracy.
struct PatienceConfig {
  int64_t epochs = 0;    ///< so many in a row without a better accuracy end the run; 0: never
  double min_delta = 0;  ///< better means by more than this
};

/// Epochs since the accuracy was last better than the best before by more than `min_delta`; the first one always is.
/// As in Keras a rise too small to count does not move that best either, so that many small rises add up to one.
int64_t epochs_without_improvement(std::span<const double> val_acc, double min_delta);

/// Whether a run ends here. @param epochs  lines of metrics.jsonl
bool patience_is_over(const PatienceConfig& config, const std::vector<nlohmann::ordered_json>& epochs);

}  // namespace moefb::trainer
