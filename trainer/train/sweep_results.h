// What the runs of a sweep came to: read from their folders, shown as a table, kept as sweep.json and sweep.csv.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "trainer/train/sweep_grid.h"

namespace moefb::trainer {

enum class RunStatus : uint8_t {
  kOpen,      ///< not begun, or stopped before its end
  kFinished,  ///< tested
  kFailed,    ///< ended with an error
};

struct SweepRun {
  GridPoint point;
  RunStatus status = RunStatus::kOpen;
  int64_t epochs = 0;                  ///< completed
  std::optional<double> best_val_acc;  ///< 0..1; none before the first epoch
  std::optional<double> test_acc;      ///< none before the end
  double seconds = 0;                  ///< of its epochs
  std::string error;                   ///< of a failed run, its last words
};

/// Fills in what `run_folder` says; a run that was tested is finished. What is not there stays as it is.
/// @throws std::runtime_error  its metrics.jsonl is none
void read_results(const std::string& run_folder, SweepRun& run);

/// Best validation accuracy first, for that is what choosing among them may look at; those without one last, in the
/// order of the grid.
std::vector<SweepRun> sorted(std::vector<SweepRun> runs);

/// All three in the order given. The table is for a person, its accuracies in per cent.
std::string results_table(const std::vector<SweepRun>& runs);
std::string results_csv(const std::vector<SweepRun>& runs);
nlohmann::ordered_json results_json(const std::vector<SweepRun>& runs);

/// The runs of results_json(). @throws nlohmann::json::exception  it is none
std::vector<SweepRun> runs_of_json(const nlohmann::ordered_json& runs);

}  // namespace moefb::trainer
