#include "trainer/models/patch_losses.h"

#include <ATen/ATen.h>

namespace moefb::trainer {

at::Tensor router_z_loss(const at::Tensor& scores) {
  return scores.logsumexp(1).square().mean();
}

at::Tensor patch_balance_loss(const at::Tensor& probs, const at::Tensor& expert) {
  const int64_t tokens = probs.size(0);
  const int64_t experts = probs.size(1);
  // Shifted by one: what bincount finds at 0 are the dropped tokens.
  const at::Tensor kept = at::bincount(expert + 1, {}, experts + 1).narrow(0, 1, experts);
  const at::Tensor share = kept.to(probs.scalar_type()) / double(tokens);
  return double(experts) * (share * probs.mean(0)).sum();
}

at::Tensor diversity_loss(const at::Tensor& probs) {
  const int64_t experts = probs.size(1);
  if (experts == 1) return at::zeros({}, probs.options());
  const at::Tensor columns = probs / probs.norm(2, {0}, /*keepdim=*/true).clamp_min(1e-12);
  return (columns.t().mm(columns) - at::eye(experts, probs.options())).square().mean();
}

}  // namespace moefb::trainer
