#include "trainer/models/draws.h"

#include <ATen/ATen.h>

namespace moefb::trainer {

at::Tensor dropout(const at::Tensor& x, double p, bool training, const Draws* draws, const std::string& name) {
  if (!training || p == 0) return x;
  if (!draws) return at::dropout(x, p, /*train=*/true);
  const auto mask = draws->keep_masks.find(name);
  return mask == draws->keep_masks.end() ? x : x * mask->second.to(x.scalar_type()) / (1 - p);
}

at::Tensor gate_noise(const at::Tensor& scores, const Draws* draws) {
  return draws ? draws->noise : at::randn_like(scores);
}

}  // namespace moefb::trainer
