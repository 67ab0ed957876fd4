// Module weights to and from .safetensors files, under the published key names.
#pragma once

#include <torch/nn/module.h>

#include <string>

#include "converter/safetensors.h"

namespace moefb::trainer {

safetensors::Tensor from_torch(const at::Tensor& tensor);
/// @throws std::runtime_error for a dtype that the trainer does not use
at::Tensor to_torch(const safetensors::Tensor& tensor);

/// Parameters and buffers of `module`.
safetensors::File state_dict(const torch::nn::Module& module);

/// Fills every parameter and buffer of `module`. Memory formats are kept.
/// @param name  the file, for messages
/// @throws std::runtime_error that names the key: missing, unexpected, or of another shape or dtype than the module's
void load_state_dict(torch::nn::Module& module, const safetensors::File& file, const std::string& name);

}  // namespace moefb::trainer
