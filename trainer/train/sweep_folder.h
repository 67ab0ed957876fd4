// The folder of a sweep: a run folder and a log for each point of the grid, sweep.json and sweep.csv.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "trainer/train/sweep_results.h"

namespace moefb::trainer {

class SweepFolder {
 public:
  /// Makes the folder, or takes up the sweep that it holds: its runs stay, and points of `points` that it lacks are
  /// added, so that a grid may grow.
  /// @param base  the configuration that all runs share
  /// @throws std::runtime_error  it holds something else, or a sweep of another configuration or of other keys: its
  ///         results would not compare with these
  SweepFolder(std::string path, const nlohmann::json& base, const std::vector<GridPoint>& points);

  std::string run_folder(const SweepRun& run) const { return path_ + "/" + run.point.name; }
  std::string log(const SweepRun& run) const { return run_folder(run) + ".log"; }

  std::vector<SweepRun>& runs() { return runs_; }

  /// Reads all results from the run folders.
  void refresh();
  /// Writes sweep.json and sweep.csv, sorted.
  void save() const;

 private:
  std::string json_path() const { return path_ + "/sweep.json"; }
  void take_up();
  void check_empty() const;

  std::string path_;
  nlohmann::json base_;
  std::vector<SweepRun> runs_;
};

}  // namespace moefb::trainer
