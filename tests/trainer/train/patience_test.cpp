#include "trainer/train/patience.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace moefb::trainer {
namespace {

int64_t waited(const std::vector<double>& val_acc, double min_delta = 0) {
  return epochs_without_improvement(val_acc, min_delta);
}

TEST(Patience, CountsEpochsSinceTheBestOne) {
  EXPECT_EQ(waited({}), 0);
  EXPECT_EQ(waited({0}), 0) << "the first epoch is the best so far, however bad";
  EXPECT_EQ(waited({0.5, 0.4, 0.3}), 2);
  EXPECT_EQ(waited({0.5, 0.5}), 1) << "as good is not better";
  EXPECT_EQ(waited({0.5, 0.4, 0.6, 0.55}), 1);
  EXPECT_EQ(waited({0.5, 0.4, 0.45}), 2) << "better than the last, but not than the best";
}

TEST(Patience, SmallRisesCountTogether) {
  EXPECT_EQ(waited({0.5, 0.6}, 0.25), 1);
  EXPECT_EQ(waited({0.5, 0.6, 0.7}, 0.25), 2);
  EXPECT_EQ(waited({0.5, 0.6, 0.7, 0.8}, 0.25), 0) << "0.3 above the last that counted";
  EXPECT_EQ(waited({0}, 1), 0);
}

TEST(Patience, NoneMeansTheRunGoesOn) {
  const std::vector<nlohmann::ordered_json> worse = {{{"val_acc", 0.5}}, {{"val_acc", 0.4}}, {{"val_acc", 0.3}}};
  EXPECT_FALSE(patience_is_over({0, 0}, worse));
  EXPECT_TRUE(patience_is_over({2, 0}, worse));
  EXPECT_FALSE(patience_is_over({3, 0}, worse));
}

}  // namespace
}  // namespace moefb::trainer
