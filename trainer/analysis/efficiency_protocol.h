// How the two published systems were timed (spec/cifar-heads.md, section 12.4; spec/patch-moe.md, section 11).
#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <vector>

#include "trainer/analysis/contest.h"
#include "trainer/analysis/efficiency_options.h"
#include "trainer/train/trained_run.h"

namespace moefb::trainer {

struct Protocol {
  const char* name = "";
  int64_t batch = 1;    ///< pictures of a batch
  int64_t warmup = 0;   ///< batches before the clock starts
  int64_t batches = 1;  ///< timed ones, at most
  /// Classifiers: the clock starts with the first batch once more. Else the pictures of the warm-up are pictures of the
  /// subset, left out of the times but not of the accuracy.
  bool starts_again = false;
};

/// Without other options a shorter one than published, which has 30 and 200 batches (of 32, on a GPU of 256), or 5 and
/// 96 pictures.
Protocol protocol_of(const NetworkConfig& config, const EfficiencyOptions& options, const at::Device& device);

/// Test pictures drawn by the seed, without augmentation, in whole batches.
struct TimedPictures {
  Rounds rounds;                ///< batches (n, 3, H, W)
  std::vector<int64_t> labels;  ///< of the pictures whose answers count: the last ones of all rounds
};

/// @param protocol  `batch` becomes smaller where the set is, `batches` where there are not so many
TimedPictures load_pictures(const TrainedRun& run, Protocol& protocol, uint64_t seed);

}  // namespace moefb::trainer
