// Where, and in which precision, a network is for a while.
#pragma once

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>
#include <torch/nn/module.h>

namespace moefb::trainer {

/// Moves its weights and buffers, which stay the same objects.
void move_network(torch::nn::Module& module, const at::Device& device);

/// Moves a network's weights and buffers; moves them back, to the same bits, when it ends.
class NetworkPlace {
 public:
  /// @param module  in f32
  /// @param floats  dtype of what is not integers
  NetworkPlace(torch::nn::Module& module, at::ScalarType floats, const at::Device& device);
  ~NetworkPlace();
  NetworkPlace(const NetworkPlace&) = delete;
  NetworkPlace& operator=(const NetworkPlace&) = delete;

 private:
  torch::nn::Module& module_;
  at::Device home_;
};

}  // namespace moefb::trainer
