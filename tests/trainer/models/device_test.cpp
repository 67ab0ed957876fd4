#include "trainer/models/device.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "converter/temporary_folder.h"

namespace moefb::trainer {
namespace {

using testing::contains;
using testing::message_of;

TEST(Device, TheCpuIsAlwaysThereForAnyNumberOfProcesses) {
  World world;
  world.local_size = 64;
  EXPECT_TRUE(device_of("train.device", "cpu", world).is_cpu());
}

TEST(Device, RefusesAnUnknownName) {
  EXPECT_EQ(message_of([] { device_of("--device", "tpu"); }), "--device: expected cpu or cuda, found tpu");
}

TEST(Device, RefusesMoreProcessesThanGpusOrAnyWithoutOne) {
  World world;
  world.local_size = 64;
  const std::string message = message_of([&] { device_of("train.device", "cuda", world); });
  EXPECT_TRUE(contains(message, "train.device: expected "));
  EXPECT_TRUE(contains(message, ", found "));
}

TEST(Device, OnTheCpuNothingIsCopied) {
  const at::Tensor x = at::ones({3});
  EXPECT_TRUE(upload(x, at::kCPU).is_same(x));
  EXPECT_FALSE(empty_to_upload({3}, at::TensorOptions(at::kFloat)).is_pinned());
}

}  // namespace
}  // namespace moefb::trainer
