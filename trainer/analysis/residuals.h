// How far eigenpairs are from being such. Lanczos knows it without another product (Golub and Van Loan,
// theorem 10.1.1), but not below rounding, where most of its pairs end.
#pragma once

#include "trainer/analysis/lanczos.h"

namespace moefb::trainer {

/// |H v - lambda v| of each pair, one product each.
class Residuals : public Resumable {
 public:
  /// Both must outlive this.
  Residuals(const SymmetricOperator& op, const Eigenpairs& pairs) : op_(op), pairs_(pairs) {}

  int64_t steps() const override { return int64_t(pairs_.values.size()); }
  int64_t steps_done() const override { return int64_t(lengths_.size()); }
  void step() override;
  State state() const override;
  void set_state(const State& state) override;

  const std::vector<double>& lengths() const { return lengths_; }

 private:
  const SymmetricOperator& op_;
  const Eigenpairs& pairs_;
  std::vector<double> lengths_;
};

}  // namespace moefb::trainer
