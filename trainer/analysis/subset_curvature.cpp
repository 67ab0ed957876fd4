#include "trainer/analysis/subset_curvature.h"

#include <ATen/ATen.h>

#include "trainer/analysis/density.h"
#include "trainer/analysis/landscape.h"
#include "trainer/analysis/power_iteration.h"
#include "trainer/analysis/residuals.h"
#include "trainer/analysis/trace.h"

namespace moefb::trainer {
namespace {

using nlohmann::ordered_json;

constexpr double kRelativeSigma = 0.01;  ///< of the density: narrow enough to tell outliers, wide enough to see them
constexpr int64_t kDensityPoints = 512;

ordered_json to_json(const TraceEstimate& estimate) {
  return {{"mean", estimate.mean}, {"standard_error", estimate.standard_error}, {"samples", estimate.samples}};
}

/// (rows, columns) from values row by row.
ordered_json rows_of(const std::vector<double>& values, size_t columns) {
  ordered_json rows = ordered_json::array();
  for (size_t i = 0; i < values.size(); i += columns) {
    rows.push_back(std::vector(values.begin() + long(i), values.begin() + long(i + columns)));
  }
  return rows;
}

/// One batch has its activations in memory anyway.
Graphs graphs_for(const SampleLoss& loss) {
  return loss.batches() == 1 ? Graphs::kKeep : Graphs::kRebuild;
}

}  // namespace

SubsetCurvature::SubsetCurvature(std::string name, const SampleLoss& loss, const ParameterVector& vector,
                                 const HessianOptions& options, uint64_t seed, Session& session)
    : name_(std::move(name)),
      loss_(loss),
      vector_(vector),
      options_(options),
      seed_(seed),
      session_(session),
      hessian_(hessian_operator(loss, vector, graphs_for(loss), [&session] { return session.stopping(); })) {
  const SampleLoss::Point here = loss_.evaluate();
  results_ = {{"pictures", loss_.pictures()}, {"loss", here.loss}, {"accuracy", here.accuracy}};
  results_["surfaces"] = ordered_json::array();
}

void SubsetCurvature::run(const std::string& task, Resumable& work) {
  session_.run(name_ + "." + task, name_ + ": " + task, work);
}

at::Tensor SubsetCurvature::measure_spectrum() {
  std::vector<Quadrature> quadratures;
  const bool lanczos = options_.method == EigenMethod::kLanczos;
  const Eigenpairs pairs = lanczos ? find_by_lanczos(quadratures) : find_by_power();
  Residuals residuals(hessian_, pairs);
  run("residuals", residuals);
  results_["residuals"] = residuals.lengths();
  estimate_trace();
  estimate_density(std::move(quadratures));
  hessian_.apply = nullptr;  // the graph of a kept gradient is large, and does not survive that weights move
  return pairs.vectors;
}

Eigenpairs SubsetCurvature::find_by_lanczos(std::vector<Quadrature>& quadratures) {
  Lanczos lanczos(hessian_, options_.products, options_.eigenvalues, seed_);
  run("eigenvalues", lanczos);
  results_["eigenvalues"] = lanczos.leading().values;
  results_["method"] = "lanczos";
  results_["iterations"] = lanczos.steps_done();
  quadratures.push_back(lanczos.quadrature());
  return lanczos.leading();
}

Eigenpairs SubsetCurvature::find_by_power() {
  PowerIteration power(hessian_, options_.eigenvalues, seed_);
  run("power iteration", power);
  results_["eigenvalues"] = power.found().values;
  results_["method"] = "power";
  results_["iterations"] = power.steps_done();
  return power.found();
}

void SubsetCurvature::estimate_trace() {
  const TraceMethod method = options_.trace;
  if (method == TraceMethod::kNone) return;
  if (method != TraceMethod::kHutchPlusPlus) {
    Hutchinson hutchinson(hessian_, options_.trace_products, method == TraceMethod::kPublished, seed_);
    run("trace by Hutchinson", hutchinson);
    results_["trace"]["hutchinson"] = to_json(hutchinson.estimate());
  }
  if (method == TraceMethod::kBoth || method == TraceMethod::kHutchPlusPlus) {
    HutchPlusPlus sketched(hessian_, options_.trace_products, seed_);
    run("trace by Hutch++", sketched);
    results_["trace"]["hutch++"] = to_json(sketched.estimate());
  }
}

void SubsetCurvature::estimate_density(std::vector<Quadrature> quadratures) {
  if (options_.density_vectors == 0) return;
  int64_t steps = 0;
  for (int64_t i = int64_t(quadratures.size()); i < options_.density_vectors; ++i) {
    Lanczos lanczos(hessian_, options_.products, /*wanted=*/0, seed_, i);
    run("density, vector " + std::to_string(i + 1), lanczos);
    quadratures.push_back(lanczos.quadrature());
  }
  for (const Quadrature& quadrature : quadratures) steps = std::max(steps, int64_t(quadrature.nodes.size()));
  const SpectralDensity density = spectral_density(quadratures, kRelativeSigma, kDensityPoints);
  results_["density"] = {{"lambda", density.lambda},
                         {"density", density.density},
                         {"sigma", density.sigma},
                         {"vectors", quadratures.size()},
                         {"steps", steps}};
}

void SubsetCurvature::measure_curves(const std::vector<Direction>& directions) {
  results_["curves"] = ordered_json::array();
  for (const Direction& direction : directions) {
    const std::vector<double> alphas = even_steps(direction.reach, options_.points);
    Landscape curve(loss_, vector_, direction.vector, alphas);
    run("loss along " + direction.name, curve);
    results_["curves"].push_back({{"direction", direction.name},
                                  {"alphas", alphas},
                                  {"losses", curve.losses()},
                                  {"accuracies", curve.accuracies()}});
  }
}

void SubsetCurvature::measure_surface(const Direction& x, const Direction& y) {
  const std::vector<double> alphas = even_steps(x.reach, options_.surface);
  const std::vector<double> betas = even_steps(y.reach, options_.surface);
  Landscape surface(loss_, vector_, x.vector, alphas, y.vector, betas);
  run("loss over " + x.name + ", " + y.name, surface);
  results_["surfaces"].push_back({{"x", x.name},
                                  {"y", y.name},
                                  {"alphas", alphas},
                                  {"betas", betas},
                                  {"losses", rows_of(surface.losses(), alphas.size())}});
}

}  // namespace moefb::trainer
