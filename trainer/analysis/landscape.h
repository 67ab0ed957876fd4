// The loss around trained weights: along a direction, and over a plane.
#pragma once

#include <vector>

#include "trainer/analysis/parameter_vector.h"
#include "trainer/analysis/resumable.h"
#include "trainer/analysis/sample_loss.h"

namespace moefb::trainer {

/// `points` numbers from -reach to reach, evenly spaced; the middle one of an odd number is exactly 0.
std::vector<double> even_steps(double reach, int64_t points);

/// A random direction, each filter of it as long as the weights' own; biases and norms stay (Li et al. 2018,
/// arXiv:1712.09913, section 4). A filter is what makes one output: a row of a matrix, a kernel of a convolution.
/// @param index  which of the seed's directions
at::Tensor filter_normalised_direction(const ParameterVector& vector, uint64_t seed, int64_t index);

/// Loss and accuracy at weights + alpha * x + beta * y, row by row of beta. Buffers, of BatchNorm say, stay as they
/// are. Every step leaves the weights as they were, bit for bit.
class Landscape : public Resumable {
 public:
  /// @param loss, vector  must outlive this
  /// @param y             undefined: a line, and betas is {0}
  Landscape(const SampleLoss& loss, const ParameterVector& vector, at::Tensor x, std::vector<double> alphas,
            at::Tensor y = {}, std::vector<double> betas = {0});

  int64_t steps() const override { return int64_t(alphas_.size() * betas_.size()); }
  int64_t steps_done() const override { return int64_t(losses_.size()); }
  void step() override;
  State state() const override;
  void set_state(const State& state) override;

  /// By beta, then alpha. Not finite where the weights lead to overflow.
  const std::vector<double>& losses() const { return losses_; }
  const std::vector<double>& accuracies() const { return accuracies_; }

 private:
  const SampleLoss& loss_;
  const ParameterVector& vector_;
  at::Tensor x_, y_;
  std::vector<double> alphas_, betas_;
  std::vector<double> losses_, accuracies_;
};

}  // namespace moefb::trainer
