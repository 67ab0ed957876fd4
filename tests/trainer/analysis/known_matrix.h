// A symmetric matrix of known eigenvalues, for tests of methods that only see its products.
#pragma once

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <vector>

#include "trainer/analysis/linear_operator.h"

namespace moefb::trainer {

struct KnownMatrix {
  /// In f64, with eigenvectors drawn at random.
  explicit KnownMatrix(const std::vector<double>& eigenvalues) : values(at::tensor(eigenvalues, at::kDouble)) {
    const auto n = int64_t(eigenvalues.size());
    vectors = std::get<0>(at::linalg_qr(at::randn({n, n}, at::detail::createCPUGenerator(3), at::kDouble)));
    matrix = vectors.matmul(at::diag(values)).matmul(vectors.t());
  }

  SymmetricOperator as_operator() {
    return {matrix.size(0), at::TensorOptions(at::kDouble), [this](const at::Tensor& v) {
              ++products;
              return matrix.mv(v);
            }};
  }

  at::Tensor values;   ///< (n)
  at::Tensor vectors;  ///< (n, n) in columns
  at::Tensor matrix;
  int64_t products = 0;
};

/// Eigenvalues from -1 to 1, evenly spaced, and the given ones beside them.
inline std::vector<double> bulk_and(std::vector<double> outliers, int64_t bulk) {
  for (int64_t i = 0; i < bulk; ++i) outliers.push_back(-1 + 2 * double(i) / double(bulk - 1));
  return outliers;
}

template <typename Task>
void finish(Task& task) {
  while (!task.done()) task.step();
}

}  // namespace moefb::trainer
