// Eigenvalues of a large symmetric matrix from a few of its products: the Lanczos method with full
// re-orthogonalisation (Golub and Van Loan, Matrix Computations, 4th edition, section 10.1).
#pragma once

#include <cstdint>
#include <vector>

#include "trainer/analysis/linear_operator.h"
#include "trainer/analysis/resumable.h"

namespace moefb::trainer {

/// Eigenvalues with their vectors, as found.
struct Eigenpairs {
  std::vector<double> values;
  at::Tensor vectors;  ///< (k, n) of unit length
};

/// How the spectrum looks from the start vector: eigenvalues weighted by how much of it they hold, 1 in all
/// (Golub and Meurant 1994).
struct Quadrature {
  std::vector<double> nodes;
  std::vector<double> weights;
};

class Lanczos : public Resumable {
 public:
  /// Needs memory for `steps` vectors.
  /// @param op        must outlive this
  /// @param products  of the matrix; as many steps as it has rows at most
  /// @param wanted    how many eigenpairs to keep
  /// @param index     which of the seed's start vectors
  Lanczos(const SymmetricOperator& op, int64_t products, int64_t wanted, uint64_t seed, int64_t index = 0);

  int64_t steps() const override { return steps_; }
  int64_t steps_done() const override { return int64_t(diagonal_.size()); }
  void step() override;
  State state() const override;
  void set_state(const State& state) override;

  /// The largest magnitude first; fewer than wanted if there were fewer steps. @pre done()
  const Eigenpairs& leading() const { return pairs_; }
  /// @pre done()
  Quadrature quadrature() const;

 private:
  at::Tensor known() const;
  at::Tensor orthogonal(at::Tensor v) const;
  at::Tensor orthonormal(const at::Tensor& v) const;
  at::Tensor fresh_vector() const;
  bool negligible(double length) const;
  void add_vector(const at::Tensor& unit);
  at::Tensor tridiagonal() const;
  void find_leading();

  const SymmetricOperator& op_;
  int64_t steps_;
  int64_t wanted_;
  uint64_t seed_;
  int64_t index_;
  std::vector<double> diagonal_;
  std::vector<double> beside_;  ///< beside_[j] links vectors j and j + 1
  at::Tensor basis_;            ///< (steps, n), of which `rows_` are known; gone when done
  int64_t rows_ = 0;
  Eigenpairs pairs_;
};

}  // namespace moefb::trainer
