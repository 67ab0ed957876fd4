// That the fake device is as strict as it says: a test that passes on it says nothing otherwise.
#include "trainer/fake_device/fake_device.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "converter/temporary_folder.h"

namespace moefb::trainer::fake {
namespace {

using testing::contains;
using testing::message_of;

at::Tensor numbers() {
  return at::arange(6, at::kFloat).reshape({2, 3});
}

TEST(FakeDevice, ComputesWhatTheCpuComputes) {
  const int64_t before = operators_run();
  const at::Tensor x = numbers().to(device());
  EXPECT_EQ(x.device(), device());
  const at::Tensor there = at::softmax(x.t().matmul(x) + 1, 1);
  EXPECT_EQ(there.device(), device());
  EXPECT_TRUE(there.to(at::kCPU).equal(at::softmax(numbers().t().matmul(numbers()) + 1, 1)));
  EXPECT_GT(operators_run(), before);
}

TEST(FakeDevice, ChangesItsTensorsInPlace) {
  at::Tensor x = at::zeros({2, 3}, device());
  x.select(0, 1).add_(2).mul_(3);
  EXPECT_TRUE(x.to(at::kCPU).equal(at::tensor({0.f, 0.f, 0.f, 6.f, 6.f, 6.f}).reshape({2, 3})));
}

TEST(FakeDevice, DifferentiatesThere) {
  at::Tensor x = numbers().to(device()).set_requires_grad(true);
  x.square().sum().backward();
  EXPECT_EQ(x.grad().device(), device());
  EXPECT_TRUE(x.grad().to(at::kCPU).equal(2 * numbers()));
}

TEST(FakeDevice, RefusesTensorsOfBothPlaces) {
  const at::Tensor x = numbers().to(device());
  const char* refusal = "Expected all tensors to be on the same device";
  EXPECT_TRUE(contains(message_of([&] { x + numbers(); }), refusal));
  EXPECT_TRUE(contains(message_of([&] { at::cat({x, numbers()}); }), refusal));
  EXPECT_TRUE(contains(message_of([&] { x.index_select(0, at::zeros({1}, at::kLong)); }), refusal));
  EXPECT_TRUE(contains(message_of([&] { numbers().add_(x); }), refusal));
  EXPECT_TRUE(contains(message_of([&] { at::stack({x.sum(), at::ones({})}); }), refusal));
}

TEST(FakeDevice, TakesFromTheCpuWhatCudaTakes) {
  const at::Tensor x = numbers().to(device());
  EXPECT_TRUE((x * at::scalar_tensor(2)).to(at::kCPU).equal(2 * numbers()));
  EXPECT_TRUE(x.index({at::ones({1}, at::kLong)}).to(at::kCPU).equal(numbers().narrow(0, 1, 1)));
}

TEST(FakeDevice, RefusesToDrawNumbers) {
  at::Tensor x = at::empty({3}, device());
  EXPECT_TRUE(contains(message_of([&] { x.normal_(); }), "random numbers are drawn on the CPU"));
}

TEST(FakeDevice, RefusesToCopyUnawaitedFromMemoryThatIsNotPinned) {
  EXPECT_TRUE(contains(message_of([&] { numbers().to(device(), /*non_blocking=*/true); }), "not pinned"));
  const at::Tensor pinned = numbers().pin_memory();
  EXPECT_TRUE(pinned.to(device(), /*non_blocking=*/true).to(at::kCPU).equal(numbers()));
}

TEST(FakeDeviceDeathTest, DiesWhereTheHostReadsItsMemory) {
  const at::Tensor x = numbers().to(device());
  EXPECT_DEATH(std::printf("%f", double(*static_cast<const float*>(x.const_data_ptr()))), "");
}

}  // namespace
}  // namespace moefb::trainer::fake
