// BatchNorm over the batches of all processes.
#pragma once

#include <torch/nn/modules/batchnorm.h>

#include "trainer/distributed/group.h"

namespace moefb::trainer {

/// torch::nn::BatchNorm2d, its state keys included; in training the mean and variance are those of all processes'
/// pictures, of which each may have another number, also none. Running statistics are the same on every process.
class SyncBatchNorm2d : public torch::nn::BatchNorm2dImpl {
 public:
  SyncBatchNorm2d(int64_t channels, const Group& group);

  /// @param x  (N, C, H, W) @throws std::runtime_error  in training: one value a channel has no variance
  at::Tensor forward(const at::Tensor& x);

 private:
  const Group& group_;
};

}  // namespace moefb::trainer
