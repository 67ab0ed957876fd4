// Auxiliary losses of the routers (spec/cifar-heads.md, section 8). All return a scalar that can be differentiated.
#pragma once

#include <ATen/core/Tensor.h>

namespace moefb::trainer {

/// Soft head: coef / E * KL(uniform || mean routing), the mean clamped at 1e-8. @param probs  (B, E)
at::Tensor soft_balance_loss(const at::Tensor& probs, double coef);

/// coef * CV^2 of the experts' gate mass, CV with the biased standard deviation. @param probs  (B, E)
at::Tensor importance_loss(const at::Tensor& probs, double coef);

/// The same of `load` (E), which in the published code is the gate mass again (spec 13, flaw 4).
at::Tensor load_loss(const at::Tensor& load, double coef);

}  // namespace moefb::trainer
