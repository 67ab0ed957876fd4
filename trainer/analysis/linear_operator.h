// A symmetric matrix that is only known by its products, as the methods for large matrices see it.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>

namespace moefb::trainer {

struct SymmetricOperator {
  int64_t size = 0;                                    ///< n: the matrix is (n, n)
  at::TensorOptions options;                           ///< dtype and device of its vectors
  std::function<at::Tensor(const at::Tensor&)> apply;  ///< (n) to (n)
};

}  // namespace moefb::trainer
