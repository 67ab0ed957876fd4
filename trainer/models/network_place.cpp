#include "trainer/models/network_place.h"

#include <ATen/ATen.h>

#include "trainer/models/device.h"

namespace moefb::trainer {
namespace {

template <typename Moved>
void replace(torch::nn::Module& module, const Moved& moved) {
  const at::NoGradGuard no_grad;
  for (at::Tensor& parameter : module.parameters()) parameter.set_data(moved(parameter));
  for (at::Tensor& buffer : module.buffers()) buffer.set_data(moved(buffer));
}

void move(torch::nn::Module& module, at::ScalarType floats, const at::Device& device) {
  replace(module, [&](const at::Tensor& x) { return x.to(device, x.is_floating_point() ? floats : x.scalar_type()); });
}

}  // namespace

void move_network(torch::nn::Module& module, const at::Device& device) {
  replace(module, [&](const at::Tensor& x) { return x.to(device); });
}

NetworkPlace::NetworkPlace(torch::nn::Module& module, at::ScalarType floats, const at::Device& device)
    : module_(module), home_(device_of(module)) {
  move(module_, floats, device);
}

NetworkPlace::~NetworkPlace() {
  move(module_, at::kFloat, home_);  // every f32 value is a f64 one
}

}  // namespace moefb::trainer
