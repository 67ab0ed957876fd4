// `train.threads = 3` crashed, and so did two threads with an odd last batch: oneDNN writes beyond its scratch memory
// in the weight gradient of a strided 1x1 convolution of few channels stored NHWC (trainer/models/pointwise.h).
#include "trainer/models/pointwise.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <limits>

namespace moefb::trainer {
namespace {

constexpr int64_t kSide = 16;

struct Gradients {
  at::Tensor answer, input, weight;
};

class Pointwise : public ::testing::TestWithParam<int> {
 protected:
  Pointwise() { at::set_num_threads(GetParam()); }
  ~Pointwise() override { at::set_num_threads(before_); }

 private:
  int before_ = at::get_num_threads();
};

torch::nn::Conv2d make_conv(int64_t channels, const at::Tensor& weight) {
  torch::nn::Conv2d conv(torch::nn::Conv2dOptions(channels, weight.size(0), 1).stride(2).bias(false));
  conv->weight = weight.clone().requires_grad_();
  return conv;
}

Gradients gradients(torch::nn::Conv2d conv, const at::Tensor& x, const at::Tensor& slopes, bool plain) {
  const at::Tensor input = x.detach().clone().requires_grad_();
  const at::Tensor answer = plain ? conv->forward(input) : pointwise(conv, input);
  (answer * slopes).sum().backward();
  return {answer.detach(), input.grad(), conv->weight.grad()};
}

TEST_P(Pointwise, GradientsAreRightForAnyBatch) {
  for (const int64_t channels : {4, 8, 16}) {
    for (const int64_t pictures : {1, 5, 7}) {
      at::manual_seed(uint64_t(channels + pictures));
      const at::Tensor x = at::randn({pictures, channels, kSide, kSide}, at::kDouble);
      const at::Tensor weight = at::randn({16, channels, 1, 1}, at::kDouble);
      const at::Tensor slopes = at::randn({pictures, 16, kSide / 2, kSide / 2}, at::kDouble);
      const auto nhwc = [](const at::Tensor& t) { return t.to(at::kFloat).contiguous(at::MemoryFormat::ChannelsLast); };
      const Gradients found = gradients(make_conv(channels, nhwc(weight)), nhwc(x), nhwc(slopes), /*plain=*/false);
      const Gradients expected = gradients(make_conv(channels, weight), x, slopes, /*plain=*/true);
      const Gradients sizes = gradients(make_conv(channels, weight.abs()), x.abs(), slopes.abs(), /*plain=*/true);
      // Each sum has at most so many terms, each rounded as often, the operands once before.
      const double terms = double(std::max<int64_t>({16, channels, pictures * kSide * kSide / 4}));
      const double limit = (terms + 3) * std::numeric_limits<float>::epsilon();
      for (const auto part : {&Gradients::answer, &Gradients::input, &Gradients::weight}) {
        const at::Tensor excess = ((found.*part).to(at::kDouble) - expected.*part).abs() - limit * sizes.*part;
        EXPECT_LE(excess.max().item<double>(), 0) << channels << " channels, " << pictures << " pictures";
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Threads, Pointwise, ::testing::Values(1, 2, 3, 5));

TEST(PointwiseBits, AreThoseOfTheConvolutionItself) {
  const at::Tensor x = at::randn({4, 8, kSide, kSide}).contiguous(at::MemoryFormat::ChannelsLast);
  torch::nn::Conv2d conv = make_conv(8, at::randn({16, 8, 1, 1}));
  EXPECT_TRUE(pointwise(conv, x).equal(conv->forward(x)));
}

}  // namespace
}  // namespace moefb::trainer
