#include "trainer/analysis/lanczos.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "trainer/analysis/random_vectors.h"

namespace moefb::trainer {
namespace {

/// Vectors to start anew have numbers that no start vector has.
constexpr int64_t kRestarts = int64_t{1} << 32;

double length_of(const at::Tensor& v) {
  return at::linalg_vector_norm(v).item<double>();
}

double epsilon(const at::TensorOptions& options) {
  const bool f64 = at::typeMetaToScalarType(options.dtype()) == at::kDouble;
  return f64 ? std::numeric_limits<double>::epsilon() : double(std::numeric_limits<float>::epsilon());
}

std::vector<double> doubles(const at::Tensor& tensor) {
  return {tensor.const_data_ptr<double>(), tensor.const_data_ptr<double>() + tensor.numel()};
}

}  // namespace

Lanczos::Lanczos(const SymmetricOperator& op, int64_t products, int64_t wanted, uint64_t seed, int64_t index)
    : op_(op), steps_(std::min(products, op.size)), wanted_(wanted), seed_(seed), index_(index) {}

at::Tensor Lanczos::known() const {
  return basis_.narrow(0, 0, rows_);
}

// Twice is enough (Parlett, The Symmetric Eigenvalue Problem, section 6.9).
at::Tensor Lanczos::orthogonal(at::Tensor v) const {
  for (int pass = 0; pass < 2 && rows_ > 0; ++pass) v = v - known().t().mv(known().mv(v));
  return v;
}

// Of a short vector, what rounding left inside the known space is large.
at::Tensor Lanczos::orthonormal(const at::Tensor& v) const {
  const at::Tensor again = orthogonal(v / length_of(v));
  return again / length_of(again);
}

at::Tensor Lanczos::fresh_vector() const {
  const int64_t number = index_ + kRestarts * rows_;
  return orthonormal(orthogonal(normal_vector(op_.size, seed_, VectorUse::kLanczos, number, op_.options)));
}

void Lanczos::add_vector(const at::Tensor& unit) {
  if (!basis_.defined()) basis_ = at::empty({steps_, op_.size}, op_.options);
  basis_.select(0, rows_).copy_(unit);
  ++rows_;
}

/// Whether what is left of a product is rounding: the vectors so far span an invariant subspace.
bool Lanczos::negligible(double length) const {
  double scale = 0;
  for (const double value : diagonal_) scale = std::max(scale, std::abs(value));
  for (const double value : beside_) scale = std::max(scale, value);
  return length <= 10 * std::sqrt(double(op_.size)) * epsilon(op_.options) * scale;
}

void Lanczos::step() {
  if (rows_ == 0) add_vector(fresh_vector());
  const at::Tensor q = basis_.select(0, rows_ - 1);
  const at::Tensor product = op_.apply(q);
  diagonal_.push_back(at::dot(product, q).item<double>());
  const at::Tensor rest = orthogonal(product);
  const double length = length_of(rest);
  // A repeated eigenvalue shows once in such a subspace: its other vectors are looked for outside.
  const bool closed = negligible(length);
  beside_.push_back(closed ? 0 : length);
  if (done()) return find_leading();
  add_vector(closed ? fresh_vector() : orthonormal(rest));
}

at::Tensor Lanczos::tridiagonal() const {
  const at::Tensor diagonal = at::tensor(diagonal_, at::kDouble);
  const at::Tensor beside = at::tensor(beside_, at::kDouble).narrow(0, 0, steps_done() - 1);
  return at::diag(diagonal) + at::diag(beside, 1) + at::diag(beside, -1);
}

void Lanczos::find_leading() {
  const auto [values, vectors] = at::linalg_eigh(tridiagonal());
  const at::Tensor order = at::argsort(values.abs(), /*stable=*/true, 0, /*descending=*/true);
  const at::Tensor leading = order.narrow(0, 0, std::min(wanted_, steps_));
  const at::Tensor ritz = vectors.index_select(1, leading);
  pairs_.values = doubles(values.index_select(0, leading));
  const at::Tensor combined = ritz.t().to(op_.options).mm(known());
  pairs_.vectors = combined / at::linalg_vector_norm(combined, 2, 1, /*keepdim=*/true);
  basis_ = at::Tensor();
}

Quadrature Lanczos::quadrature() const {
  const auto [values, vectors] = at::linalg_eigh(tridiagonal());
  return {doubles(values), doubles(vectors[0].square().contiguous())};
}

Resumable::State Lanczos::state() const {
  State state = {{"diagonal", at::tensor(diagonal_, at::kDouble)}, {"beside", at::tensor(beside_, at::kDouble)}};
  if (basis_.defined()) state["basis"] = known();
  if (!done()) return state;
  state["values"] = at::tensor(pairs_.values, at::kDouble);
  state["vectors"] = pairs_.vectors;
  return state;
}

void Lanczos::set_state(const State& state) {
  diagonal_ = doubles(state.at("diagonal"));
  beside_ = doubles(state.at("beside"));
  rows_ = 0;
  basis_ = at::Tensor();
  if (state.contains("basis")) {
    const at::Tensor rows = state.at("basis");
    for (int64_t i = 0; i < rows.size(0); ++i) add_vector(rows[i]);
  }
  if (!done()) return;
  pairs_ = {doubles(state.at("values")), state.at("vectors").to(op_.options)};
}

}  // namespace moefb::trainer
