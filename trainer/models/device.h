// Where a network computes, and the way there for what is loaded or drawn on the CPU.
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <string>
#include <vector>

#include "trainer/distributed/world.h"

namespace moefb::trainer {

/// The values of train.device and --device.
const std::vector<std::string>& device_names();

/// What `name` means for this process: of several on a machine each has a GPU of its own, by its LOCAL_RANK.
/// @param setting  who named it, "train.device" say, for the message
/// @throws std::runtime_error  there is no such device, or not one for each process
at::Device device_of(const std::string& setting, const std::string& name, const World& world = {});

/// Whether convolutions in bf16 are fast there. @param name  one of device_names()
bool computes_in_bf16(const std::string& name);

/// f32 means f32: LibTorch's convolutions would round to TF32 on a GPU. Of the whole process.
void forbid_tf32();

/// Makes it this thread's device, for whoever asks for the current one.
void enter(const at::Device& device);

/// Where its parameters are. @pre it has some, all in one place
at::Device device_of(const torch::nn::Module& module);

/// Uninitialised, on the CPU, of the dtype of `like`: to be filled, then uploaded to where `like` is.
at::Tensor empty_to_upload(at::IntArrayRef shape, const at::TensorOptions& like,
                           at::MemoryFormat format = at::MemoryFormat::Contiguous);

/// A tensor on the CPU to `device`: itself, or a copy that the host does not wait for.
at::Tensor upload(const at::Tensor& x, const at::Device& device);

}  // namespace moefb::trainer
