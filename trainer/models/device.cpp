#include "trainer/models/device.h"

#include <ATen/ATen.h>
#include <ATen/Context.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/version.h>

#include <algorithm>
#include <stdexcept>

namespace moefb::trainer {
namespace {

[[noreturn]] void fail(const std::string& setting, const std::string& expected, const std::string& found) {
  throw std::runtime_error(setting + ": expected " + expected + ", found " + found);
}

bool built_with_cuda() {
  return at::detail::getCUDAHooks().hasCUDART();
}

std::string libtorch_version() {
  const std::string version = "LibTorch " + std::string(TORCH_VERSION);
  if (!built_with_cuda()) return version;
  const long cuda = at::detail::getCUDAHooks().versionCUDART();
  return version + " with CUDA " + std::to_string(cuda / 1000) + "." + std::to_string(cuda % 1000 / 10);
}

int64_t gpus() {
  return at::detail::getCUDAHooks().getNumGPUs();
}

/// The GPU of this process.
at::Device gpu_of(const std::string& setting, const World& world) {
  if (!built_with_cuda()) fail(setting, "cpu, as this " + libtorch_version() + " was built without CUDA", "cuda");
  if (gpus() == 0) fail(setting, "cpu, as CUDA finds no GPU here (" + libtorch_version() + ")", "cuda");
  if (world.local_size > gpus()) {
    fail(setting, "a GPU for each of the " + std::to_string(world.local_size) + " processes of this machine",
         std::to_string(gpus()));
  }
  return {at::kCUDA, at::DeviceIndex(world.local_rank)};
}

}  // namespace

const std::vector<std::string>& device_names() {
  static const std::vector<std::string> names = {"cpu", "cuda"};
  return names;
}

at::Device device_of(const std::string& setting, const std::string& name, const World& world) {
  if (std::ranges::count(device_names(), name) == 0) fail(setting, "cpu or cuda", name);
  return name == "cuda" ? gpu_of(setting, world) : at::Device(at::kCPU);
}

bool computes_in_bf16(const std::string& name) {
  if (name == "cuda") return at::detail::getCUDAHooks().supportsBFloat16ConvolutionWithCuDNNv8();
  return __builtin_cpu_supports("avx512bf16");
}

void forbid_tf32() {
  at::globalContext().setAllowTF32CuDNN(false);
  at::globalContext().setAllowTF32CuBLAS(false);
}

void enter(const at::Device& device) {
  if (!device.is_cpu()) c10::impl::VirtualGuardImpl(device.type()).setDevice(device);
}

at::Device device_of(const torch::nn::Module& module) {
  return module.parameters().front().device();
}

at::Tensor empty_to_upload(at::IntArrayRef shape, const at::TensorOptions& like, at::MemoryFormat format) {
  // Only from pinned memory does a copy run beside the host.
  const bool pinned = !like.device().is_cpu();
  return at::empty(shape, at::TensorOptions(like.dtype()).pinned_memory(pinned).memory_format(format));
}

at::Tensor upload(const at::Tensor& x, const at::Device& device) {
  return device.is_cpu() ? x : x.pin_memory().to(device, /*non_blocking=*/true);
}

}  // namespace moefb::trainer
