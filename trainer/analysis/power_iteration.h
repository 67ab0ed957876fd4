// Eigenvalues as the published code finds them: power iteration with deflation (spec/cifar-heads.md, section 12.2).
#pragma once

#include <vector>

#include "trainer/analysis/lanczos.h"

namespace moefb::trainer {

/// Loosely converged, and not in order of magnitude: see the specification, section 13, flaw 7.
class PowerIteration : public Resumable {
 public:
  /// @param op     must outlive this
  /// @param count  eigenvalues, one after the other
  PowerIteration(const SymmetricOperator& op, int64_t count, uint64_t seed);

  int64_t steps() const override;
  int64_t steps_done() const override { return products_; }
  bool done() const override { return int64_t(values_.size()) == count_; }
  void step() override;
  State state() const override;
  void set_state(const State& state) override;

  /// In the order found.
  Eigenpairs found() const;

 private:
  at::Tensor start() const;
  at::Tensor deflated(at::Tensor v) const;
  void finish(double value, const at::Tensor& vector);

  const SymmetricOperator& op_;
  int64_t count_;
  uint64_t seed_;
  int64_t products_ = 0;
  int64_t iteration_ = 0;  ///< of the eigenvalue under way
  double old_ = 0;         ///< its value so far
  at::Tensor v_;
  std::vector<double> values_;
  std::vector<at::Tensor> vectors_;
};

}  // namespace moefb::trainer
