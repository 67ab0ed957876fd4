#include "trainer/models/sync_batch_norm.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <stdexcept>

namespace moefb::trainer {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// (C) as it multiplies (N, C, H, W).
at::Tensor per_channel(const at::Tensor& values) {
  return values.view({1, -1, 1, 1});
}

/// bf16 maps are normalised in f32.
at::Tensor wide(const at::Tensor& x) {
  return x.scalar_type() == at::kDouble ? x : x.to(at::kFloat);
}

struct Statistics {
  at::Tensor mean;      ///< (C)
  at::Tensor variance;  ///< (C) divided by `count`
  double count = 0;     ///< values of one channel
};

/// From each process's own mean and variance, in double: sums of squares in float would cancel.
Statistics over_all(const at::Tensor& x, const Group& group) {
  const int64_t channels = x.size(1);
  const auto options = x.options().dtype(at::kDouble);
  const double own = double(x.numel() / channels);
  at::Tensor sums = at::zeros({2 * channels + 1}, options);
  if (own > 0) {
    const auto [variance, mean] = at::var_mean(x, {0, 2, 3}, /*correction=*/0);
    const at::Tensor m = mean.to(at::kDouble), v = variance.to(at::kDouble);
    sums = own * at::cat({m, v + m.square(), at::ones({1}, options)});
  }
  sums = group.sum(sums);
  Statistics all;
  all.count = sums[2 * channels].item<double>();
  const at::Tensor mean = sums.narrow(0, 0, channels) / all.count;
  all.mean = mean.to(x.scalar_type());
  all.variance = (sums.narrow(0, channels, channels) / all.count - mean.square()).clamp_min(0).to(x.scalar_type());
  return all;
}

struct Normalise : torch::autograd::Function<Normalise> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const at::Tensor& bias, const at::Tensor& mean, const at::Tensor& inverse, double count,
                            int64_t group) {
    context->save_for_backward({x, weight, mean, inverse});
    context->saved_data["count"] = count;
    context->saved_data["group"] = group;
    const at::Tensor scale = weight * inverse;
    return (per_channel(scale) * wide(x) + per_channel(bias - mean * scale)).to(x.scalar_type());
  }

  // With u = (x - mean) / deviation and all means over all processes: dx = weight / deviation * (dy - mean(dy) - u *
  // mean(dy * u)) (Ioffe and Szegedy 2015, arXiv:1502.03167, section 3). The slopes of weight and bias are this
  // process's part: gradients are added up later.
  static variable_list backward(AutogradContext* context, const variable_list& slopes) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1], &mean = saved[2], &inverse = saved[3];
    const auto* group = reinterpret_cast<const Group*>(context->saved_data["group"].toInt());
    const at::Tensor dy = wide(slopes[0]);
    const at::Tensor u = (wide(x) - per_channel(mean)) * per_channel(inverse);
    const at::Tensor bias_slope = dy.sum({0, 2, 3});
    const at::Tensor weight_slope = (dy * u).sum({0, 2, 3});
    const at::Tensor means =
        group->sum(at::cat({bias_slope, weight_slope}).to(at::kDouble)) / context->saved_data["count"].toDouble();
    const std::vector<at::Tensor> half = means.to(dy.scalar_type()).chunk(2);
    const at::Tensor dx = per_channel(weight * inverse) * (dy - per_channel(half[0]) - u * per_channel(half[1]));
    return {dx.to(x.scalar_type()), weight_slope, bias_slope, {}, {}, {}, {}};
  }
};

}  // namespace

SyncBatchNorm2d::SyncBatchNorm2d(int64_t channels, const Group& group)
    : BatchNorm2dImpl(torch::nn::BatchNorm2dOptions(channels)), group_(group) {}

at::Tensor SyncBatchNorm2d::forward(const at::Tensor& x) {
  if (!is_training() || group_.size() == 1) return BatchNorm2dImpl::forward(x);
  const Statistics all = over_all(wide(x.detach()), group_);
  if (all.count < 2) throw std::runtime_error("BatchNorm: one value a channel has no variance");
  const double momentum = options.momentum().value();
  {
    const at::NoGradGuard no_grad;
    num_batches_tracked += 1;
    running_mean.lerp_(all.mean, momentum);
    running_var.lerp_(all.variance * (all.count / (all.count - 1)), momentum);
  }
  const at::Tensor inverse = (all.variance + options.eps()).rsqrt();
  return Normalise::apply(x, weight, bias, all.mean, inverse, all.count, reinterpret_cast<int64_t>(&group_));
}

}  // namespace moefb::trainer
