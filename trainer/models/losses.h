// Auxiliary losses of the routers (spec/cifar-heads.md, section 8). All return a scalar that can be differentiated.
#pragma once

#include <ATen/core/Tensor.h>

#include "trainer/distributed/group.h"

namespace moefb::trainer {

/// Soft head: coef / E * KL(uniform || mean routing), the mean clamped at 1e-8. @param probs  (B, E)
at::Tensor soft_balance_loss(const at::Tensor& probs, double coef, const Group& group = alone());

/// coef * CV^2 of the experts' gate mass, CV with the biased standard deviation. @param probs  (B, E)
at::Tensor importance_loss(const at::Tensor& probs, double coef, const Group& group = alone());

/// The same of `load` (E), of all processes: as published the gate mass once more (spec 13, flaw 4), or smooth_load().
at::Tensor load_loss(const at::Tensor& load, double coef);

/// How many pictures each expert would get if only its own noise were drawn again: sum over the pictures of
/// Phi((clean - threshold) / deviation), where `threshold` is the k-th best score of the other experts (Shazeer et al.
/// 2017, arXiv:1701.06538, appendix A). Unlike the gate mass it has a slope for experts that were not chosen.
/// @param clean      (B, E) scores without noise
/// @param noisy      (B, E) scores with it, which chose
/// @param deviation  (B, E) of the noise
/// @param k          experts a picture, less than E
/// @return (E) of this process's pictures
at::Tensor smooth_load(const at::Tensor& clean, const at::Tensor& noisy, const at::Tensor& deviation, int64_t k);

}  // namespace moefb::trainer
