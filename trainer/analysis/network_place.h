// Where, and in which precision, a network is while it is analysed.
#pragma once

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>
#include <torch/nn/module.h>

#include <string>

namespace moefb::trainer {

/// What --device names. @throws std::runtime_error  there is no such device
at::Device device_of(const std::string& name);

/// Moves a network's weights and buffers; moves them back, to the same bits, when it ends.
class NetworkPlace {
 public:
  /// @param module  in f32 on the CPU
  /// @param floats  dtype of what is not integers
  NetworkPlace(torch::nn::Module& module, at::ScalarType floats, const at::Device& device);
  ~NetworkPlace();
  NetworkPlace(const NetworkPlace&) = delete;
  NetworkPlace& operator=(const NetworkPlace&) = delete;

 private:
  torch::nn::Module& module_;
};

}  // namespace moefb::trainer
