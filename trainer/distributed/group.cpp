#include "trainer/distributed/group.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

namespace moefb::trainer {
namespace {

class Alone : public Group {
 public:
  int64_t rank() const override { return 0; }
  int64_t size() const override { return 1; }

 protected:
  void do_sum(at::Tensor&) const override {}
  std::vector<at::Tensor> do_gather(const at::Tensor& x) const override { return {x}; }
  void do_broadcast(at::Tensor&) const override {}
};

}  // namespace

struct SumOverProcesses : torch::autograd::Function<SumOverProcesses> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, int64_t group) {
    context->saved_data["group"] = group;
    at::Tensor total = x.detach().clone(at::MemoryFormat::Contiguous);
    reinterpret_cast<const Group*>(group)->do_sum(total);
    return total;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& slopes) {
    const auto* group = reinterpret_cast<const Group*>(context->saved_data["group"].toInt());
    return {group->sum(slopes[0]), at::Tensor()};
  }
};

at::Tensor Group::sum(const at::Tensor& x) const {
  return size() == 1 ? x : SumOverProcesses::apply(x, reinterpret_cast<int64_t>(this));
}

std::vector<at::Tensor> Group::gather(const at::Tensor& x) const {
  if (size() == 1) return {x};
  const at::NoGradGuard no_grad;
  return do_gather(x.detach().contiguous());
}

void Group::broadcast(const at::Tensor& x) const {
  if (size() == 1) return;
  const at::NoGradGuard no_grad;
  at::Tensor copy = x.detach().clone(at::MemoryFormat::Contiguous);
  do_broadcast(copy);
  x.copy_(copy);
}

bool Group::any(bool mine) const {
  if (size() == 1) return mine;
  return sum(at::scalar_tensor(mine ? 1 : 0, at::kLong)).item<int64_t>() > 0;
}

void Group::barrier() const {
  any(false);
}

const Group& alone() {
  static const Alone group;
  return group;
}

}  // namespace moefb::trainer
