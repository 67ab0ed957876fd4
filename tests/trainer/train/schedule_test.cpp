#include "trainer/train/schedule.h"

#include <gtest/gtest.h>

namespace moefb::trainer {
namespace {

TEST(Schedule, PublishedStepsAfterEpochs30And40) {
  const ScheduleConfig config;
  const int64_t steps = 352;
  EXPECT_DOUBLE_EQ(learning_rate(config, 0, steps), 0.1);
  EXPECT_DOUBLE_EQ(learning_rate(config, 30 * steps - 1, steps), 0.1);
  EXPECT_DOUBLE_EQ(learning_rate(config, 30 * steps, steps), 0.01);
  EXPECT_DOUBLE_EQ(learning_rate(config, 40 * steps - 1, steps), 0.01);
  EXPECT_DOUBLE_EQ(learning_rate(config, 50 * steps - 1, steps), 0.001);
}

TEST(Schedule, WarmsUpToThePeakThenFallsToZero) {
  ScheduleConfig config;
  config.learning_rate = 0.4;
  config.epochs = 10;
  config.warmup_epochs = 2;
  for (const Schedule kind : {Schedule::kLinear, Schedule::kCosine}) {
    config.kind = kind;
    EXPECT_DOUBLE_EQ(learning_rate(config, 0, 10), 0.4 / 20);
    EXPECT_DOUBLE_EQ(learning_rate(config, 19, 10), 0.4);
    EXPECT_DOUBLE_EQ(learning_rate(config, 20, 10), 0.4);
    EXPECT_NEAR(learning_rate(config, 60, 10), 0.2, 1e-12);  // half way
    EXPECT_NEAR(learning_rate(config, 100, 10), 0, 1e-12);
  }
  EXPECT_LT(learning_rate(config, 99, 10), 0.001);
}

TEST(Schedule, WarmUpLongerThanTheRunOnlyRises) {
  ScheduleConfig config;
  config.kind = Schedule::kCosine;
  config.epochs = 1;
  config.warmup_epochs = 4;
  EXPECT_DOUBLE_EQ(learning_rate(config, 9, 10), 0.1 / 4);
}

}  // namespace
}  // namespace moefb::trainer
