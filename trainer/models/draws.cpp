#include "trainer/models/draws.h"

#include <ATen/ATen.h>

#include "trainer/models/device.h"

namespace moefb::trainer {
namespace {

/// x's shape with all processes' rows.
std::vector<int64_t> whole_shape(const at::Tensor& x, const BatchRows& rows) {
  std::vector<int64_t> shape = x.sizes().vec();
  shape[0] = rows.total();
  return shape;
}

}  // namespace

at::Tensor dropout(const at::Tensor& x, double p, bool training, const Draws* draws, const std::string& name,
                   const BatchRows& rows) {
  if (!training || p == 0) return x;
  // As at::dropout draws and multiplies, to the bit.
  if (!draws) {
    const at::Tensor kept = empty_to_upload(whole_shape(x, rows), x.options()).bernoulli_(1 - p).div_(1 - p);
    return x * upload(rows.own(kept), x.device());
  }
  const auto mask = draws->keep_masks.find(name);
  return mask == draws->keep_masks.end() ? x : x * mask->second.to(x.scalar_type()) / (1 - p);
}

at::Tensor gate_noise(const at::Tensor& scores, const Draws* draws, const BatchRows& rows) {
  if (draws) return draws->noise;
  const at::Tensor noise = empty_to_upload(whole_shape(scores, rows), scores.options()).normal_();
  return upload(rows.own(noise), scores.device());
}

}  // namespace moefb::trainer
