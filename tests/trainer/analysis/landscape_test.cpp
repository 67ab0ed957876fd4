#include "trainer/analysis/landscape.h"

#include <gtest/gtest.h>

#include "trainer/analysis/random_vectors.h"
#include "trainer/analysis/small_network.h"

namespace moefb::trainer {
namespace {

class LandscapeTest : public ::testing::Test {
 protected:
  std::vector<at::Tensor> everything() const {
    std::vector<at::Tensor> tensors;
    for (const at::Tensor& t : network_->module().parameters()) tensors.push_back(t.detach().clone());
    for (const at::Tensor& t : network_->module().buffers()) tensors.push_back(t.clone());
    return tensors;
  }
  void expect_untouched(const std::vector<at::Tensor>& before) const {
    const std::vector<at::Tensor> now = everything();
    for (size_t i = 0; i < now.size(); ++i) EXPECT_TRUE(now[i].equal(before[i])) << i;
  }

  std::shared_ptr<Network> network_ = small_network(head_keys("sparse"));
  ParameterVector vector_{network_->module(), {}};
  SampleLoss loss_{*network_, noise_pictures(8, {6, 3}, 3), RouteMode::kFree};
  at::Tensor x_ = normal_vector(vector_.size(), 1, VectorUse::kDirection, 1, vector_.options());
  at::Tensor y_ = normal_vector(vector_.size(), 1, VectorUse::kDirection, 2, vector_.options());
};

TEST_F(LandscapeTest, StepsAreThePublishedOnes) {
  const std::vector<double> steps = even_steps(0.5, 21);
  ASSERT_EQ(steps.size(), 21u);
  EXPECT_EQ(steps.front(), -0.5);
  EXPECT_EQ(steps[10], 0);
  EXPECT_DOUBLE_EQ(steps[11], 0.05);
  EXPECT_EQ(steps.back(), 0.5);
}

TEST_F(LandscapeTest, LeavesWeightsAndBuffersAsTheyWere) {
  const std::vector<at::Tensor> before = everything();
  Landscape curve(loss_, vector_, x_, even_steps(0.5, 5));
  while (!curve.done()) {
    curve.step();
    expect_untouched(before);
  }
  EXPECT_EQ(curve.losses()[2], loss_.evaluate().loss);
  EXPECT_EQ(curve.accuracies()[2], loss_.evaluate().accuracy);
  EXPECT_NE(curve.losses()[0], curve.losses()[2]);
}

TEST_F(LandscapeTest, WeightsReturnEvenFromAnError) {
  const std::vector<at::Tensor> before = everything();
  const PictureSample broken = {{at::zeros({1, 3, 8, 8}, at::kDouble), at::full({1}, 99, at::kLong)}};  // no such class
  const SampleLoss loss(*network_, broken, RouteMode::kFree);
  Landscape curve(loss, vector_, x_, {0.1});
  EXPECT_ANY_THROW(curve.step());
  EXPECT_EQ(curve.steps_done(), 0);
  expect_untouched(before);
}

TEST_F(LandscapeTest, SurfaceHoldsTheCurvesOfItsAxes) {
  const std::vector<double> alphas = even_steps(0.3, 3), betas = even_steps(0.2, 5);
  Landscape surface(loss_, vector_, x_, alphas, y_, betas);
  Landscape along_x(loss_, vector_, x_, alphas);
  Landscape along_y(loss_, vector_, y_, betas);
  while (!surface.done()) surface.step();
  while (!along_x.done()) along_x.step();
  while (!along_y.done()) along_y.step();
  ASSERT_EQ(surface.losses().size(), 15u);
  for (size_t i = 0; i < 3; ++i) EXPECT_DOUBLE_EQ(surface.losses()[2 * 3 + i], along_x.losses()[i]);
  for (size_t j = 0; j < 5; ++j) EXPECT_DOUBLE_EQ(surface.losses()[j * 3 + 1], along_y.losses()[j]);
}

TEST_F(LandscapeTest, RandomDirectionsHaveFiltersAsLongAsTheWeightsOwn) {
  const std::vector<at::Tensor> parts = vector_.split(filter_normalised_direction(vector_, 7, 0));
  for (size_t i = 0; i < parts.size(); ++i) {
    const at::Tensor weights = vector_.parameters()[i].detach();
    if (weights.dim() < 2) {
      EXPECT_EQ(parts[i].abs().max().item<double>(), 0);
      continue;
    }
    const at::Tensor found = at::linalg_vector_norm(parts[i].flatten(1), 2, 1);
    const at::Tensor expected = at::linalg_vector_norm(weights.flatten(1), 2, 1);
    EXPECT_LT((found - expected).abs().max().item<double>(), 1e-12);
  }
  EXPECT_FALSE(filter_normalised_direction(vector_, 7, 1).equal(filter_normalised_direction(vector_, 7, 0)));
}

TEST_F(LandscapeTest, GoesOnFromItsState) {
  Landscape whole(loss_, vector_, x_, even_steps(0.5, 5));
  while (!whole.done()) whole.step();
  Landscape first(loss_, vector_, x_, even_steps(0.5, 5));
  first.step();
  first.step();
  Landscape second(loss_, vector_, x_, even_steps(0.5, 5));
  second.set_state(first.state());
  while (!second.done()) second.step();
  EXPECT_EQ(second.losses(), whole.losses());
  EXPECT_EQ(second.accuracies(), whole.accuracies());
}

}  // namespace
}  // namespace moefb::trainer
