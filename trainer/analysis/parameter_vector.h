// Some or all parameters of a network seen as one vector.
#pragma once

#include <torch/nn/module.h>

#include <string>
#include <vector>

namespace moefb::trainer {

/// In the order of the module's parameters(), each row-major whatever its memory format.
class ParameterVector {
 public:
  /// @param prefixes  takes parameters whose names begin with one of them; empty: all
  /// @throws std::runtime_error that names a prefix without parameters
  ParameterVector(const torch::nn::Module& module, const std::vector<std::string>& prefixes);

  int64_t size() const { return size_; }
  const std::vector<at::Tensor>& parameters() const { return parameters_; }
  at::TensorOptions options() const { return parameters_.front().options().requires_grad(false); }

  /// (size) of one tensor for each parameter; an undefined one counts as zeros.
  at::Tensor join(const std::vector<at::Tensor>& tensors) const;
  /// Views of `vector` (size) with the parameters' shapes.
  std::vector<at::Tensor> split(const at::Tensor& vector) const;

 private:
  std::vector<at::Tensor> parameters_;
  int64_t size_ = 0;
};

/// Moves weights about and puts them back, bit for bit, when it ends.
class DisplacedWeights {
 public:
  explicit DisplacedWeights(const ParameterVector& vector);
  ~DisplacedWeights();
  DisplacedWeights(const DisplacedWeights&) = delete;
  DisplacedWeights& operator=(const DisplacedWeights&) = delete;

  /// Weights become the original ones plus `displacement` (size).
  void move_by(const at::Tensor& displacement);

 private:
  const ParameterVector& vector_;
  std::vector<at::Tensor> original_;
};

}  // namespace moefb::trainer
