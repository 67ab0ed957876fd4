#include "trainer/models/pointwise.h"

#include <ATen/ops/conv2d.h>

namespace moefb::trainer {
namespace {

constexpr int64_t kChannelsAtATime = 16;

bool is_nhwc(const at::Tensor& x) {
  return x.suggest_memory_format() == at::MemoryFormat::ChannelsLast;
}

}  // namespace

at::Tensor pointwise(torch::nn::Conv2d& conv, const at::Tensor& x) {
  const int64_t rows = conv->options.stride()->at(0), columns = conv->options.stride()->at(1);
  const bool nhwc = is_nhwc(x) || is_nhwc(conv->weight);  // either makes LibTorch choose it
  if (rows * columns == 1 || conv->options.in_channels() >= kChannelsAtATime || !nhwc) return conv->forward(x);
  const at::Tensor taken = x.slice(2, 0, x.size(2), rows).slice(3, 0, x.size(3), columns);
  return at::conv2d(taken, conv->weight, conv->bias);
}

}  // namespace moefb::trainer
