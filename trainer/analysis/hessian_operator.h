// Products of the loss's Hessian with vectors, by differentiating twice (Pearlmutter 1994).
#pragma once

#include <functional>

#include "trainer/analysis/linear_operator.h"
#include "trainer/analysis/parameter_vector.h"
#include "trainer/analysis/sample_loss.h"
#include "trainer/analysis/session.h"

namespace moefb::trainer {

/// Of the gradient, batch by batch.
enum class Graphs : uint8_t {
  kRebuild,  ///< memory for the activations of one batch
  kKeep,     ///< of all batches
};

/// H v = 1/n sum over the batches of n_b H_b v (spec/cifar-heads.md, section 12.2). Parameters that the loss does not
/// depend on have rows of zeros.
/// @param loss, vector  must outlive the operator
/// @param graphs        kept from product to product, which saves a fifth of the time, as long as the weights stay
///                      where they are
/// @param stop          asked before every batch; true: Stopped is thrown. Null: never
SymmetricOperator hessian_operator(const SampleLoss& loss, const ParameterVector& vector,
                                   Graphs graphs = Graphs::kRebuild, std::function<bool()> stop = nullptr);

}  // namespace moefb::trainer
