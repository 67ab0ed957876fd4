#include "trainer/train/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace moefb::trainer {
namespace {

double step_factor(const ScheduleConfig& config, int64_t epoch) {
  const auto passed = std::count_if(config.milestones.begin(), config.milestones.end(),
                                    [epoch](int64_t milestone) { return milestone <= epoch; });
  return std::pow(config.gamma, double(passed));
}

}  // namespace

double learning_rate(const ScheduleConfig& config, int64_t step, int64_t steps_per_epoch) {
  const int64_t warmup = config.warmup_epochs * steps_per_epoch;
  if (step < warmup) return config.learning_rate * double(step + 1) / double(warmup);
  if (config.kind == Schedule::kStep) return config.learning_rate * step_factor(config, step / steps_per_epoch);

  const int64_t decay_steps = std::max<int64_t>(1, config.epochs * steps_per_epoch - warmup);
  const double done = std::min(1.0, double(step - warmup) / double(decay_steps));
  const double factor = config.kind == Schedule::kLinear ? 1 - done : 0.5 * (1 + std::cos(std::numbers::pi * done));
  return config.learning_rate * factor;
}

}  // namespace moefb::trainer
