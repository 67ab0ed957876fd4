#include "trainer/train/routing_stats.h"

#include <ATen/ATen.h>

namespace moefb::trainer {

constexpr double kEps = 1e-8;  // the published floor under a logarithm

RoutingStats::RoutingStats(int64_t experts) : experts_(experts), sums_(at::zeros({2 + 2 * experts}, at::kDouble)) {}

void RoutingStats::add(const at::Tensor& probs) {
  if (experts_ == 0) return;
  const at::Tensor weights = probs.detach().to(at::kDouble);
  const at::Tensor entropy = -(weights * weights.clamp_min(kEps).log()).sum();
  const at::Tensor rows = at::full({1}, double(weights.size(0)), weights.options());
  const at::Tensor uses = weights.gt(0).sum(0).to(at::kDouble);
  sums_ = sums_.to(weights.device()) + at::cat({rows, entropy.reshape({1}), weights.sum(0), uses});
}

std::vector<double> RoutingStats::means(int64_t from) const {
  const at::Tensor all = sums();
  const auto* sum = all.const_data_ptr<double>();
  std::vector<double> values;
  for (int64_t e = 0; e < experts_; ++e) values.push_back(sum[from + e] / std::max(1.0, sum[0]));
  return values;
}

std::vector<double> RoutingStats::utilisation() const {
  return means(2);
}

std::vector<double> RoutingStats::load() const {
  return means(2 + experts_);
}

double RoutingStats::entropy() const {
  const at::Tensor all = sums();
  const auto* sum = all.const_data_ptr<double>();
  return sum[1] / std::max(1.0, sum[0]);
}

at::Tensor class_expert_mean(const at::Tensor& probs, const at::Tensor& labels, int64_t classes) {
  const at::Tensor sums = at::zeros({classes, probs.size(1)}, at::kDouble).index_add_(0, labels, probs.to(at::kDouble));
  const at::Tensor counts = at::bincount(labels, {}, classes).to(at::kDouble).clamp_min(1);
  return sums / counts.unsqueeze(1);
}

}  // namespace moefb::trainer
