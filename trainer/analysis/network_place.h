// Where, and in which precision, a network is while it is analysed.
#pragma once

#include <torch/nn/module.h>

#include "trainer/analysis/hessian_options.h"

namespace moefb::trainer {

/// Moves a network's weights and buffers; moves them back, to the same bits, when it ends.
class NetworkPlace {
 public:
  /// @param module  in f32 on the CPU
  /// @throws std::runtime_error  there is no such device
  NetworkPlace(torch::nn::Module& module, const HessianOptions& options);
  ~NetworkPlace();
  NetworkPlace(const NetworkPlace&) = delete;
  NetworkPlace& operator=(const NetworkPlace&) = delete;

 private:
  torch::nn::Module& module_;
};

}  // namespace moefb::trainer
