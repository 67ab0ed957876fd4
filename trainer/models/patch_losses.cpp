#include "trainer/models/patch_losses.h"

#include <ATen/ATen.h>

namespace moefb::trainer {
namespace {

/// (1, E) over the tokens of all processes. A column of softmax values is never all zero, so the root has a slope.
at::Tensor column_norms(const at::Tensor& probs, const Group& group) {
  if (group.size() == 1) return probs.norm(2, {0}, /*keepdim=*/true);
  return group.sum(probs.square().sum(0, /*keepdim=*/true)).sqrt();
}

}  // namespace

at::Tensor router_z_loss(const at::Tensor& scores, const BatchRows& tokens) {
  return tokens.mean(scores.logsumexp(1).square());
}

at::Tensor patch_balance_loss(const at::Tensor& probs, const at::Tensor& expert, const BatchRows& tokens) {
  const int64_t experts = probs.size(1);
  // Shifted by one: what bincount finds at 0 are the dropped tokens.
  const at::Tensor kept = at::bincount(expert + 1, {}, experts + 1).narrow(0, 1, experts);
  const at::Tensor share = tokens.group().sum(kept).to(probs.scalar_type()) / double(tokens.total());
  return double(experts) * (share * tokens.mean(probs)).sum();
}

at::Tensor diversity_loss(const at::Tensor& probs, const Group& group) {
  const int64_t experts = probs.size(1);
  if (experts == 1) return at::zeros({}, probs.options());
  const at::Tensor columns = probs / column_norms(probs, group).clamp_min(1e-12);
  return (group.sum(columns.t().mm(columns)) - at::eye(experts, probs.options())).square().mean();
}

}  // namespace moefb::trainer
