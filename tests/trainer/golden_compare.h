// Comparing tensors with those of a golden fixture.
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <map>
#include <string>

#include "converter/safetensors.h"
#include "golden_fixtures.h"

namespace moefb::golden {

/// A fixture's io.safetensors as torch tensors, by name.
class Tensors {
 public:
  explicit Tensors(const safetensors::File& file);

  bool has(const std::string& name) const { return tensors_.contains(name); }
  /// @throws std::out_of_range that names the tensor
  const at::Tensor& operator[](const std::string& name) const;
  const std::map<std::string, at::Tensor>& all() const { return tensors_; }

 private:
  std::map<std::string, at::Tensor> tensors_;
};

/// Expects max |got - expected| <= limit * max(floor, max |expected|); a failure shows the worst element.
void expect_close(const std::string& name, const at::Tensor& got, const at::Tensor& expected, double limit,
                  double floor = 0);

/// Expects every element equal: indices, counters.
void expect_equal(const std::string& name, const at::Tensor& got, const at::Tensor& expected);

/// Expects the gradients of all parameters to be those under `prefix`grad.*, within `limit`; a parameter that the
/// fixture has no gradient of must have none, not one of zeros.
void expect_gradients(const torch::nn::Module& module, const Tensors& io, const std::string& prefix, double limit);

}  // namespace moefb::golden
