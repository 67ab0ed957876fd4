#include "trainer/models/resnet18.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "trainer/models/state_dict.h"

namespace moefb::trainer {
namespace {

TEST(Resnet18, HasTorchvisionsKeysAndSizes) {
  Resnet18 net(64, 1000);
  int64_t parameters = 0;
  for (const auto& parameter : net.module().parameters()) parameters += parameter.numel();
  EXPECT_EQ(parameters, 11'689'512);
  const safetensors::File file = state_dict(net);
  EXPECT_EQ(file.tensors.size(), 122u);
  EXPECT_EQ(file.tensors.at("conv1.weight").shape, (std::vector<int64_t>{64, 3, 7, 7}));
  for (const char* key :
       {"bn1.running_mean", "layer1.1.bn2.bias", "layer4.0.downsample.1.num_batches_tracked", "fc.weight", "fc.bias"}) {
    EXPECT_TRUE(file.tensors.contains(key)) << key;
  }
}

TEST(Resnet18, StemAndPoolingQuarterTheSides) {
  Resnet18 net(4, 3);
  const at::Tensor pictures = at::randn({2, 3, 64, 64}, at::detail::createCPUGenerator(2));
  FeatureMaps maps;
  net.forward(pictures, &maps);
  EXPECT_EQ(maps.stem_bn.sizes().vec(), (std::vector<int64_t>{2, 4, 32, 32}));
  EXPECT_EQ(maps.layer[0].sizes().vec(), (std::vector<int64_t>{2, 4, 16, 16}));
  EXPECT_EQ(net.run(pictures).logits.sizes().vec(), (std::vector<int64_t>{2, 3}));
}

}  // namespace
}  // namespace moefb::trainer
