#include "trainer/analysis/landscape.h"

#include <ATen/ATen.h>

#include "trainer/analysis/random_vectors.h"

namespace moefb::trainer {
namespace {

/// (rows, 1) lengths of a tensor's filters.
at::Tensor filter_lengths(const at::Tensor& filters) {
  return at::linalg_vector_norm(filters.flatten(1), 2, 1, /*keepdim=*/true);
}

at::Tensor normalise_filters(const at::Tensor& direction, const at::Tensor& weights) {
  if (weights.dim() < 2) return at::zeros_like(direction);
  const at::Tensor rows = direction.flatten(1);
  return (rows / filter_lengths(rows) * filter_lengths(weights)).view(direction.sizes());
}

}  // namespace

std::vector<double> even_steps(double reach, int64_t points) {
  std::vector<double> steps;
  const auto last = double(points - 1);
  for (int64_t i = 0; i < points; ++i) steps.push_back(points == 1 ? 0 : reach * (2 * double(i) - last) / last);
  return steps;
}

at::Tensor filter_normalised_direction(const ParameterVector& vector, uint64_t seed, int64_t index) {
  const at::NoGradGuard no_grad;
  const at::Tensor drawn = normal_vector(vector.size(), seed, VectorUse::kDirection, index, vector.options());
  std::vector<at::Tensor> parts = vector.split(drawn);
  for (size_t i = 0; i < parts.size(); ++i) parts[i] = normalise_filters(parts[i], vector.parameters()[i]);
  return vector.join(parts);
}

Landscape::Landscape(const SampleLoss& loss, const ParameterVector& vector, at::Tensor x, std::vector<double> alphas,
                     at::Tensor y, std::vector<double> betas)
    : loss_(loss),
      vector_(vector),
      x_(std::move(x)),
      y_(std::move(y)),
      alphas_(std::move(alphas)),
      betas_(std::move(betas)) {}

void Landscape::step() {
  const size_t column = losses_.size() % alphas_.size();
  const size_t row = losses_.size() / alphas_.size();
  at::Tensor displacement = alphas_[column] * x_;
  if (y_.defined()) displacement = displacement + betas_[row] * y_;
  DisplacedWeights weights(vector_);
  weights.move_by(displacement);
  const SampleLoss::Point point = loss_.evaluate();
  losses_.push_back(point.loss);
  accuracies_.push_back(point.accuracy);
}

Resumable::State Landscape::state() const {
  return {{"losses", at::tensor(losses_, at::kDouble)}, {"accuracies", at::tensor(accuracies_, at::kDouble)}};
}

void Landscape::set_state(const State& state) {
  const auto values = [](const at::Tensor& tensor) {
    return std::vector<double>(tensor.const_data_ptr<double>(), tensor.const_data_ptr<double>() + tensor.numel());
  };
  losses_ = values(state.at("losses"));
  accuracies_ = values(state.at("accuracies"));
}

}  // namespace moefb::trainer
