// The parts that all blocks of the patch network are made of.
#pragma once

#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/normalization.h>

#include <algorithm>

namespace moefb::trainer {

/// Without bias, padded by kernel / 2 zeros.
inline torch::nn::Conv2d make_plain_conv(int64_t in_channels, int64_t channels, int64_t kernel, int64_t stride = 1) {
  return torch::nn::Conv2d(
      torch::nn::Conv2dOptions(in_channels, channels, kernel).stride(stride).padding(kernel / 2).bias(false));
}

/// min(8, channels) groups, which must divide the channels.
inline torch::nn::GroupNorm make_group_norm(int64_t channels) {
  return torch::nn::GroupNorm(torch::nn::GroupNormOptions(std::min<int64_t>(8, channels), channels));
}

}  // namespace moefb::trainer
