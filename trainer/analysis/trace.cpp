#include "trainer/analysis/trace.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "trainer/analysis/random_vectors.h"

namespace moefb::trainer {
namespace {

// As published.
constexpr double kTolerance = 1e-3;
constexpr double kGuard = 1e-6;

double mean_of(const std::vector<double>& values, size_t count) {
  double sum = 0;
  for (size_t i = 0; i < count; ++i) sum += values[i];
  return sum / double(count);
}

TraceEstimate summarise(const std::vector<double>& values) {
  TraceEstimate estimate;
  estimate.samples = int64_t(values.size());
  estimate.mean = mean_of(values, values.size());
  double squares = 0;
  for (const double value : values) squares += (value - estimate.mean) * (value - estimate.mean);
  const auto n = double(values.size());
  estimate.standard_error = n > 1 ? std::sqrt(squares / (n - 1) / n) : std::numeric_limits<double>::quiet_NaN();
  return estimate;
}

std::vector<double> doubles(const at::Tensor& tensor) {
  return {tensor.const_data_ptr<double>(), tensor.const_data_ptr<double>() + tensor.numel()};
}

}  // namespace

Hutchinson::Hutchinson(const SymmetricOperator& op, int64_t samples, bool early, uint64_t seed)
    : op_(op), samples_(samples), early_(early), seed_(seed) {}

bool Hutchinson::settled() const {
  if (values_.empty()) return false;
  const double before = values_.size() == 1 ? 0 : mean_of(values_, values_.size() - 1);
  return std::abs(mean_of(values_, values_.size()) - before) / (before + kGuard) < kTolerance;
}

void Hutchinson::step() {
  const at::Tensor z = sign_vector(op_.size, seed_, VectorUse::kTrace, steps_done(), op_.options);
  values_.push_back(at::dot(op_.apply(z), z).item<double>());
}

Resumable::State Hutchinson::state() const {
  return {{"values", at::tensor(values_, at::kDouble)}};
}

void Hutchinson::set_state(const State& state) {
  values_ = doubles(state.at("values"));
}

TraceEstimate Hutchinson::estimate() const {
  return summarise(values_);
}

HutchPlusPlus::HutchPlusPlus(const SymmetricOperator& op, int64_t products, uint64_t seed)
    : op_(op), part_(std::clamp<int64_t>(products / 3, 1, op.size)), seed_(seed) {}

void HutchPlusPlus::step() {
  const int64_t index = done_ % part_;
  if (done_ < part_) {
    sketch(index);
  } else if (done_ < 2 * part_) {
    inside_ += inside(index);
  } else {
    beside_.push_back(outside(index));
  }
  ++done_;
}

void HutchPlusPlus::sketch(int64_t index) {
  const at::Tensor s = sign_vector(op_.size, seed_, VectorUse::kSketch, index, op_.options);
  const at::Tensor product = op_.apply(s);
  if (!range_.defined()) range_ = at::empty({part_, op_.size}, op_.options);
  range_.select(0, index).copy_(product);
  if (index == part_ - 1) orthonormalise();
}

// A range of lower rank gives columns beyond it that are arbitrary but orthonormal: as good as any.
void HutchPlusPlus::orthonormalise() {
  range_ = std::get<0>(at::linalg_qr(range_.t())).t().contiguous();
}

double HutchPlusPlus::inside(int64_t index) const {
  const at::Tensor q = range_.select(0, index);
  return at::dot(op_.apply(q), q).item<double>();
}

double HutchPlusPlus::outside(int64_t index) const {
  at::Tensor g = sign_vector(op_.size, seed_, VectorUse::kTrace, index, op_.options);
  g = g - range_.t().mv(range_.mv(g));
  return at::dot(op_.apply(g), g).item<double>();
}

Resumable::State HutchPlusPlus::state() const {
  State state = {{"numbers", at::tensor({double(done_), inside_}, at::kDouble)},
                 {"beside", at::tensor(beside_, at::kDouble)}};
  if (range_.defined()) state["range"] = done_ < part_ ? range_.narrow(0, 0, done_) : range_;
  return state;
}

void HutchPlusPlus::set_state(const State& state) {
  const std::vector<double> numbers = doubles(state.at("numbers"));
  done_ = int64_t(numbers[0]);
  inside_ = numbers[1];
  beside_ = doubles(state.at("beside"));
  range_ = at::Tensor();
  if (!state.contains("range")) return;
  const at::Tensor saved = state.at("range").to(op_.options);
  range_ = at::zeros({part_, op_.size}, op_.options);
  range_.narrow(0, 0, saved.size(0)).copy_(saved);
}

TraceEstimate HutchPlusPlus::estimate() const {
  TraceEstimate estimate = summarise(beside_);
  estimate.mean += inside_;
  return estimate;
}

}  // namespace moefb::trainer
