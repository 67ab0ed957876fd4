// What a run says while it trains: a bar that redraws itself on a terminal, plain lines elsewhere.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "trainer/data/dataset.h"
#include "trainer/train/metrics_log.h"

namespace moefb::trainer {

class Progress {
 public:
  /// @param speaks  whether it prints anything: of several processes one does
  Progress(int64_t epochs, int64_t batches, bool speaks = true);

  /// Starts the clock of an epoch (from 1).
  void start_epoch(int64_t epoch);
  /// After a batch: redraws the bar, at most ten times a second, on a terminal only.
  void batch(int64_t done, int64_t pictures, double mean_loss, double accuracy);
  /// Pictures a second since start_epoch(), by this process.
  double images_per_s() const;
  /// So many seconds as a share of those since start_epoch().
  double share_of_epoch(double seconds) const;
  /// The line that stays.
  void epoch_done(const EpochRecord& record, bool is_best);
  /// A line of text that stays.
  void say(const std::string& line);

 private:
  using Clock = std::chrono::steady_clock;

  bool speaks_;
  bool terminal_;
  int64_t epochs_;
  int64_t batches_;
  int64_t epoch_ = 0;
  int64_t pictures_ = 0;  ///< since start_epoch()
  Clock::time_point started_;
  Clock::time_point drawn_;
};

/// How far a computation in steps is: a bar on a terminal, a line every ten seconds elsewhere, one line at the end.
class StageProgress {
 public:
  /// @param steps  at most so many
  /// @param unit   what a step is: "picture"
  StageProgress(std::string label, int64_t steps, std::string unit = "step");

  void step(int64_t done);
  void finish(int64_t done);

 private:
  using Clock = std::chrono::steady_clock;

  bool terminal_;
  std::string label_;
  int64_t steps_;
  std::string unit_;
  Clock::time_point started_;
  Clock::time_point said_;
};

/// Says how far the reading of pictures is: a line that redraws itself on a terminal, one every ten seconds elsewhere.
LoadProgress loading_progress();

}  // namespace moefb::trainer
