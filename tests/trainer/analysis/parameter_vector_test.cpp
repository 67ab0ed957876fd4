#include "trainer/analysis/parameter_vector.h"

#include <gtest/gtest.h>

#include "trainer/analysis/small_network.h"
#include "trainer/models/cifar_net.h"
#include "trainer/models/network_place.h"

namespace moefb::trainer {
namespace {

TEST(ParameterVector, TakesParametersByTheirPrefix) {
  const auto network = small_network(head_keys("dense"));
  const ParameterVector all(network->module(), {});
  const ParameterVector head(network->module(), {"head."});
  const ParameterVector both(network->module(), {"head.", "backbone."});
  EXPECT_EQ(head.size(), 8 * 6 + 6 + 6 * 3 + 3);
  EXPECT_EQ(both.size(), all.size());
}

TEST(ParameterVector, NamesAPrefixThatNothingHas) {
  const auto network = small_network(head_keys("dense"));
  try {
    const ParameterVector vector(network->module(), {"head.", "tail."});
    FAIL() << "accepted";
  } catch (const std::runtime_error& e) {
    EXPECT_NE(std::string(e.what()).find("tail."), std::string::npos) << e.what();
    EXPECT_NE(std::string(e.what()).find("head.fc.3.bias"), std::string::npos) << e.what();
  }
}

TEST(ParameterVector, JoinsWhatItSplitAndReadsMissingTensorsAsZeros) {
  const auto network = small_network(head_keys("soft"));
  const ParameterVector vector(network->module(), {});
  const at::Tensor numbers = at::arange(vector.size(), at::kDouble);
  EXPECT_TRUE(vector.join(vector.split(numbers)).equal(numbers));
  std::vector<at::Tensor> parts = vector.split(numbers);
  const int64_t first = parts[0].numel();
  parts[0] = at::Tensor();
  EXPECT_EQ(vector.join(parts).narrow(0, 0, first).abs().max().item<double>(), 0);
}

// The order of the numbers is that of the published parameter vector, not that of the memory.
TEST(ParameterVector, DoesNotDependOnTheMemoryFormat) {
  const auto network = small_network(head_keys("dense"));
  const ParameterVector vector(network->module(), {});
  const at::Tensor before = vector.join(vector.parameters()).detach().clone();
  use_channels_last(network->module());
  EXPECT_TRUE(vector.join(vector.parameters()).equal(before));
}

TEST(NetworkPlace, GivesTheSameBitsBack) {
  const auto network = small_network(head_keys("sparse"));
  network->module().to(at::kFloat);
  std::vector<at::Tensor> before;
  for (const at::Tensor& t : network->module().parameters()) before.push_back(t.detach().clone());
  {
    const NetworkPlace place(network->module(), at::kDouble, at::kCPU);
    EXPECT_EQ(network->module().parameters()[0].scalar_type(), at::kDouble);
  }
  for (size_t i = 0; i < before.size(); ++i) EXPECT_TRUE(network->module().parameters()[i].equal(before[i]));
}

}  // namespace
}  // namespace moefb::trainer
