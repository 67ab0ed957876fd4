// The learning rate over a run.
#pragma once

#include <cstdint>
#include <vector>

namespace moefb::trainer {

enum class Schedule : uint8_t {
  kStep,    ///< times `gamma` after each milestone, per epoch, as published
  kCosine,  ///< half a cosine to 0, per step
  kLinear,  ///< a straight line to 0, per step
  kPatch,   ///< that of the patch networks, per epoch: see patch_schedule.h
};

struct ScheduleConfig {
  Schedule kind = Schedule::kStep;
  double learning_rate = 0.1;                  ///< the peak
  int64_t epochs = 50;                         ///< of the whole run
  int64_t warmup_epochs = 0;                   ///< a straight line up to the peak, per step
  std::vector<int64_t> milestones = {30, 40};  ///< kStep: epochs completed before a drop
  double gamma = 0.1;                          ///< kStep
};

/// The rate of optimiser step `step` (from 0), where every epoch has `steps_per_epoch`.
double learning_rate(const ScheduleConfig& config, int64_t step, int64_t steps_per_epoch);

}  // namespace moefb::trainer
