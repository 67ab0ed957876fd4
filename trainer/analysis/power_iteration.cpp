#include "trainer/analysis/power_iteration.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "trainer/analysis/random_vectors.h"

namespace moefb::trainer {
namespace {

// As published.
constexpr int64_t kMaxIterations = 100;
constexpr double kTolerance = 1e-3;
constexpr double kGuard = 1e-6;

at::Tensor normalised(const at::Tensor& v) {
  return v / (at::linalg_vector_norm(v) + kGuard);
}

}  // namespace

PowerIteration::PowerIteration(const SymmetricOperator& op, int64_t count, uint64_t seed)
    : op_(op), count_(std::min(count, op.size)), seed_(seed) {}

int64_t PowerIteration::steps() const {
  return count_ * kMaxIterations;
}

at::Tensor PowerIteration::start() const {
  return normalised(normal_vector(op_.size, seed_, VectorUse::kPower, int64_t(values_.size()), op_.options));
}

at::Tensor PowerIteration::deflated(at::Tensor v) const {
  for (const at::Tensor& found : vectors_) v = v - at::dot(v, found) * found;
  return normalised(v);
}

void PowerIteration::finish(double value, const at::Tensor& vector) {
  values_.push_back(value);
  vectors_.push_back(vector);
  iteration_ = 0;
  v_ = at::Tensor();
}

void PowerIteration::step() {
  const at::Tensor v = deflated(v_.defined() ? v_ : start());
  const at::Tensor product = op_.apply(v);
  const double value = at::dot(product, v).item<double>();
  const at::Tensor next = normalised(product);
  ++products_;
  ++iteration_;
  const bool settled = iteration_ > 1 && std::abs(old_ - value) / (std::abs(old_) + kGuard) < kTolerance;
  if (settled) return finish(old_, next);
  if (iteration_ == kMaxIterations) return finish(value, next);
  old_ = value;
  v_ = next;
}

Resumable::State PowerIteration::state() const {
  State state;
  state["numbers"] = at::tensor({double(products_), double(iteration_), old_}, at::kDouble);
  state["values"] = at::tensor(values_, at::kDouble);
  if (v_.defined()) state["v"] = v_;
  if (!vectors_.empty()) state["vectors"] = at::stack(vectors_);
  return state;
}

void PowerIteration::set_state(const State& state) {
  const auto* numbers = state.at("numbers").const_data_ptr<double>();
  products_ = int64_t(numbers[0]);
  iteration_ = int64_t(numbers[1]);
  old_ = numbers[2];
  const at::Tensor& values = state.at("values");
  values_.assign(values.const_data_ptr<double>(), values.const_data_ptr<double>() + values.numel());
  v_ = state.contains("v") ? state.at("v").to(op_.options) : at::Tensor();
  vectors_.clear();
  if (!state.contains("vectors")) return;
  // Copies: the sums of a product are grouped by how a vector lies in memory.
  for (const at::Tensor& v : state.at("vectors").to(op_.options).unbind(0)) vectors_.push_back(v.clone());
}

Eigenpairs PowerIteration::found() const {
  Eigenpairs pairs;
  pairs.values = values_;
  pairs.vectors = at::stack(vectors_);
  return pairs;
}

}  // namespace moefb::trainer
