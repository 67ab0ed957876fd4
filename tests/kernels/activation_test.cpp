#include "kernels/reference/activation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "kernels/values.h"

namespace moefb::kernels::reference {
namespace {

using test::Expected;
using test::kUnitRoundoff;

TEST(Silu, IsWithinFewRoundingsOfTheExactValue) {
  std::vector<float> values;
  for (float x = -80.0f; x <= 80.0f; x += 0.0037f) values.push_back(x);
  std::vector<Expected> expected;
  for (float x : values) {
    const double value = test::silu_exact(x);
    expected.push_back({value, 6 * kUnitRoundoff * std::abs(value)});
  }
  activate(Activation::kSilu, values.data(), static_cast<int64_t>(values.size()));
  test::expect_close(values, expected);
}

TEST(Silu, SaturatesAtBothEnds) {
  EXPECT_EQ(silu(0.0f), 0.0f);
  EXPECT_EQ(silu(-200.0f), 0.0f);
  EXPECT_EQ(silu(200.0f), 200.0f);
  EXPECT_EQ(silu(3e38f), 3e38f);
  EXPECT_TRUE(std::isnan(silu(NAN)));
}

TEST(Relu, CutsOffBelowZero) {
  std::vector<float> values = {-1.0f, -0.0f, 0.0f, 2.5f, -INFINITY, INFINITY};
  activate(Activation::kRelu, values.data(), 6);
  EXPECT_EQ(values, (std::vector<float>{0.0f, 0.0f, 0.0f, 2.5f, 0.0f, INFINITY}));
  EXPECT_TRUE(std::isnan(relu(NAN)));
}

}  // namespace
}  // namespace moefb::kernels::reference
