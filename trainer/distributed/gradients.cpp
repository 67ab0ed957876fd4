#include "trainer/distributed/gradients.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

namespace moefb::trainer {

void sum_gradients(const std::vector<at::Tensor>& parameters, const Group& group) {
  if (group.size() == 1 || parameters.empty()) return;
  const at::NoGradGuard no_grad;
  // One message: all gradients, then for each parameter how many processes have one.
  std::vector<at::Tensor> parts;
  std::vector<double> present;
  for (const at::Tensor& parameter : parameters) {
    const at::Tensor& gradient = parameter.grad();
    present.push_back(gradient.defined() ? 1 : 0);
    parts.push_back(gradient.defined() ? gradient.reshape(-1) : at::zeros({parameter.numel()}, parameter.options()));
  }
  parts.push_back(at::tensor(present, parameters[0].options().requires_grad(false)));
  const at::Tensor sums = group.sum(at::cat(parts));
  const at::Tensor owners = sums.narrow(0, sums.size(0) - int64_t(present.size()), int64_t(present.size()));
  const at::Tensor has_gradient = owners.gt(0.5).to(at::kCPU).contiguous();
  int64_t first = 0;
  for (size_t i = 0; i < parameters.size(); ++i) {
    const at::Tensor& parameter = parameters[i];
    const at::Tensor sum = sums.narrow(0, first, parameter.numel()).view(parameter.sizes());
    first += parameter.numel();
    if (!has_gradient.const_data_ptr<bool>()[i]) continue;
    if (!parameter.grad().defined()) parameter.mutable_grad() = at::empty_like(parameter);
    parameter.mutable_grad().copy_(sum);
  }
}

}  // namespace moefb::trainer
