#include "trainer/analysis/network_place.h"

#include <ATen/ATen.h>

#include <stdexcept>

namespace moefb::trainer {
namespace {

void move(torch::nn::Module& module, at::ScalarType floats, const at::Device& device) {
  const at::NoGradGuard no_grad;
  const auto place = [&](at::Tensor& tensor) {
    tensor.set_data(tensor.to(device, tensor.is_floating_point() ? floats : tensor.scalar_type()));
  };
  for (at::Tensor& parameter : module.parameters()) place(parameter);
  for (at::Tensor& buffer : module.buffers()) place(buffer);
}

}  // namespace

at::Device device_of(const std::string& name) {
  const bool known = name == "cpu" || (name == "cuda" && at::hasCUDA());
  if (known) return at::Device(name);
  throw std::runtime_error("--device " + name + ": expected " +
                           (at::hasCUDA() ? "cpu or cuda" : "cpu, the only one here"));
}

NetworkPlace::NetworkPlace(torch::nn::Module& module, at::ScalarType floats, const at::Device& device)
    : module_(module) {
  move(module_, floats, device);
}

NetworkPlace::~NetworkPlace() {
  move(module_, at::kFloat, at::kCPU);  // every f32 value is a f64 one
}

}  // namespace moefb::trainer
