// What the curvature analysis says of one set of pictures: eigenvalues, trace, density, and the loss around.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "trainer/analysis/hessian_operator.h"
#include "trainer/analysis/lanczos.h"

namespace moefb::trainer {

/// A way through the space of weights.
struct Direction {
  std::string name;   ///< "eigenvector 1", "random 1"
  at::Tensor vector;  ///< (n)
  double reach = 0;   ///< how far the curve goes, both ways, in lengths of `vector`
};

class SubsetCurvature {
 public:
  /// @param name  of the subset, as in the results
  /// All arguments must outlive this.
  SubsetCurvature(std::string name, const SampleLoss& loss, const ParameterVector& vector,
                  const HessianOptions& options, uint64_t seed, Session& session);

  /// Eigenvalues, trace and density; once, before anything moves the weights. @return the eigenvectors (k, n)
  at::Tensor measure_spectrum();
  /// The loss along every direction.
  void measure_curves(const std::vector<Direction>& directions);
  /// The loss over the plane of two.
  void measure_surface(const Direction& x, const Direction& y);

  const nlohmann::ordered_json& results() const { return results_; }

 private:
  void run(const std::string& task, Resumable& work);
  Eigenpairs find_by_lanczos(std::vector<Quadrature>& quadratures);
  Eigenpairs find_by_power();
  void estimate_trace();
  void estimate_density(std::vector<Quadrature> quadratures);

  std::string name_;
  const SampleLoss& loss_;
  const ParameterVector& vector_;
  const HessianOptions& options_;
  uint64_t seed_;
  Session& session_;
  SymmetricOperator hessian_;
  nlohmann::ordered_json results_;
};

}  // namespace moefb::trainer
