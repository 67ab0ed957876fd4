// 1x1 convolutions, around a mistake of oneDNN.
#pragma once

#include <torch/nn/modules/conv.h>

namespace moefb::trainer {

/// What `conv` gives, to the same bits, with gradients that are right. It has a kernel of 1x1 and no padding.
///
/// Where pictures are stored NHWC and channels are fewer than oneDNN takes at a time (8 with AVX2, 16 with AVX-512),
/// its weight gradient of such a convolution with a stride writes beyond its scratch memory (oneDNN issue 6035; 3.12,
/// which LibTorch 2.13 has): a crash, a hang or wrong numbers, with AVX-512 where the batch is no multiple of the
/// threads. Without a stride it is right, so the pixels are taken beforehand.
at::Tensor pointwise(torch::nn::Conv2d& conv, const at::Tensor& x);

}  // namespace moefb::trainer
