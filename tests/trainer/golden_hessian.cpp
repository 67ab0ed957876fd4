// Curvature of tiny heads in f64, whose whole spectrum the fixtures hold.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "trainer/analysis/head_network.h"
#include "trainer/analysis/hessian_operator.h"
#include "trainer/analysis/lanczos.h"
#include "trainer/analysis/landscape.h"
#include "trainer/analysis/power_iteration.h"
#include "trainer/analysis/trace.h"
#include "trainer/golden_checks.h"
#include "trainer/golden_compare.h"
#include "trainer/models/state_dict.h"

namespace moefb::golden {
namespace {

using trainer::HeadNetwork;
using trainer::ParameterVector;
using trainer::SampleLoss;

constexpr double kSpectrumLimit = 1e-6;
constexpr double kProductLimit = 1e-9;

/// The fixture's rows in batches as its own loader cut them, the last one short.
trainer::PictureSample sample_of(const Fixture& fixture, const Tensors& io) {
  trainer::PictureSample sample;
  const auto images = io["input"].split(fixture.config.at("loader_batch").get<int64_t>());
  const auto labels = io["target"].split(fixture.config.at("loader_batch").get<int64_t>());
  for (size_t b = 0; b < images.size(); ++b) sample.push_back({images[b].to(at::kDouble), labels[b]});
  return sample;
}

/// The fixture's head, with its weights in f64 as `param_vector` has them.
HeadNetwork load_head(const Fixture& fixture, const Tensors& io) {
  HeadNetwork network(trainer::make_head(model_config(fixture)));
  trainer::load_state_dict(network.module(), safetensors::read(fixture.state_dict()), fixture.state_dict());
  network.module().to(at::kDouble);
  const at::NoGradGuard no_grad;
  const ParameterVector vector(network.module(), {});
  const std::vector<at::Tensor> parts = vector.split(io["param_vector"]);
  for (size_t i = 0; i < parts.size(); ++i) at::Tensor(vector.parameters()[i]).copy_(parts[i]);
  return network;
}

void check_order(const Fixture& fixture, const torch::nn::Module& module) {
  size_t index = 0;
  for (const auto& item : module.named_parameters()) {
    EXPECT_EQ(item.key(), fixture.config.at("parameter_order").at(index++).at(0).get<std::string>());
  }
}

template <typename Task>
void finish(Task& task) {
  while (!task.done()) task.step();
}

template <typename Estimator>
void check_estimate(const char* name, Estimator&& estimator, double trace) {
  finish(estimator);
  const trainer::TraceEstimate estimate = estimator.estimate();
  EXPECT_LE(std::abs(estimate.mean - trace), 3 * estimate.standard_error) << name;
  EXPECT_LT(estimate.standard_error, 0.5 * std::abs(trace)) << name << " says nothing";
}

void check_trace(const trainer::SymmetricOperator& hessian, double trace) {
  check_estimate("Hutchinson", trainer::Hutchinson(hessian, 100, /*early=*/false, 42), trace);
  check_estimate("Hutch++", trainer::HutchPlusPlus(hessian, 99, 42), trace);
}

void check_spectrum(const trainer::SymmetricOperator& hessian, const Tensors& io) {
  trainer::Lanczos whole(hessian, hessian.size, hessian.size, 42);
  finish(whole);
  const auto found = std::get<0>(at::tensor(whole.leading().values, at::kDouble).sort());
  expect_close("eigenvalues", found, io["eigenvalues"], kSpectrumLimit);
  expect_close("trace", found.sum(), io["trace"], kProductLimit);

  trainer::Lanczos few(hessian, 60, 5, 42);
  finish(few);
  const trainer::Eigenpairs& leading = few.leading();
  const at::Tensor by_magnitude =
      io["eigenvalues"].index_select(0, at::argsort(io["eigenvalues"].abs(), 0, /*descending=*/true).narrow(0, 0, 5));
  expect_close("leading eigenvalues", at::tensor(leading.values, at::kDouble), by_magnitude, kSpectrumLimit);
  EXPECT_NEAR(leading.values[0], io["top_eigenvalue"].item<double>(), kSpectrumLimit * std::abs(leading.values[0]));
  const double overlap = at::dot(leading.vectors[0], io["top_eigenvector"]).item<double>();
  EXPECT_NEAR(std::abs(overlap), 1, kSpectrumLimit);
}

/// The published method stops early: within a few of its thousandths of the true value.
void check_power_iteration(const trainer::SymmetricOperator& hessian, const Tensors& io) {
  trainer::PowerIteration power(hessian, 1, 42);
  finish(power);
  const double top = io["top_eigenvalue"].item<double>();
  EXPECT_NEAR(power.found().values[0], top, 2e-2 * std::abs(top));
}

void check_curve(const SampleLoss& loss, const ParameterVector& vector, const Tensors& io) {
  // The fixture's are f32 numbers.
  const at::Tensor steps = at::tensor(trainer::even_steps(0.5, 21), at::kDouble);
  expect_close("curve_alphas", steps, io["curve_alphas"], std::numeric_limits<float>::epsilon());
  const auto* alphas = io["curve_alphas"].const_data_ptr<double>();
  trainer::Landscape curve(loss, vector, io["top_eigenvector"], {alphas, alphas + 21});
  finish(curve);
  expect_close("curve_losses", at::tensor(curve.losses(), at::kDouble), io["curve_losses"], kProductLimit);
}

}  // namespace

void check_hessian(const Fixture& fixture) {
  const Tensors io(fixture.io());
  HeadNetwork network = load_head(fixture, io);
  check_order(fixture, network.module());
  const ParameterVector vector(network.module(), {});
  const SampleLoss loss(network, sample_of(fixture, io), trainer::RouteMode::kFree);
  EXPECT_NEAR(loss.evaluate().loss, io["loss"].item<double>(), kProductLimit);
  const trainer::SymmetricOperator hessian = trainer::hessian_operator(loss, vector, trainer::Graphs::kKeep);
  expect_close("hvp_out", hessian.apply(io["hvp_in"]), io["hvp_out"], kProductLimit);
  check_spectrum(hessian, io);
  check_power_iteration(hessian, io);
  check_trace(hessian, io["trace"].item<double>());
  check_curve(loss, vector, io);
}

}  // namespace moefb::golden
