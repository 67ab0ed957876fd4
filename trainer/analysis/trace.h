// The trace of a large symmetric matrix, estimated from a few of its products.
#pragma once

#include <vector>

#include "trainer/analysis/linear_operator.h"
#include "trainer/analysis/resumable.h"

namespace moefb::trainer {

struct TraceEstimate {
  double mean = 0;
  double standard_error = 0;  ///< of the mean, from the spread of the samples; not finite with one alone
  int64_t samples = 0;        ///< random vectors behind the standard error
};

/// Hutchinson 1990: the mean of z . H z over vectors of random signs.
class Hutchinson : public Resumable {
 public:
  /// @param op       must outlive this
  /// @param samples  vectors, at most
  /// @param early    stop as published: where the running mean changes by less than a thousandth
  ///                 (spec/cifar-heads.md, section 12.2)
  Hutchinson(const SymmetricOperator& op, int64_t samples, bool early, uint64_t seed);

  int64_t steps() const override { return samples_; }
  int64_t steps_done() const override { return int64_t(values_.size()); }
  bool done() const override { return steps_done() == samples_ || (early_ && settled()); }
  void step() override;
  State state() const override;
  void set_state(const State& state) override;

  TraceEstimate estimate() const;

 private:
  bool settled() const;

  const SymmetricOperator& op_;
  int64_t samples_;
  bool early_;
  uint64_t seed_;
  std::vector<double> values_;
};

/// Hutch++ (Meyer, Musco, Musco and Woodruff 2021, algorithm 1): exact on the range of a sketch, Hutchinson beside it.
/// Exact altogether where the matrix's rank is at most a third of the products.
class HutchPlusPlus : public Resumable {
 public:
  /// @param op        must outlive this
  /// @param products  of the matrix, in three equal parts; rounded down to a multiple of 3, at least 3
  HutchPlusPlus(const SymmetricOperator& op, int64_t products, uint64_t seed);

  int64_t steps() const override { return 3 * part_; }
  int64_t steps_done() const override { return done_; }
  void step() override;
  State state() const override;
  void set_state(const State& state) override;

  TraceEstimate estimate() const;

 private:
  void sketch(int64_t index);
  void orthonormalise();
  double inside(int64_t index) const;
  double outside(int64_t index) const;

  const SymmetricOperator& op_;
  int64_t part_;
  uint64_t seed_;
  int64_t done_ = 0;
  at::Tensor range_;            ///< (part, n) products of the sketch, then an orthonormal basis of them
  double inside_ = 0;           ///< the trace on that range
  std::vector<double> beside_;  ///< samples of what is left
};

}  // namespace moefb::trainer
