#include "trainer/analysis/residuals.h"

#include <ATen/ATen.h>

namespace moefb::trainer {

void Residuals::step() {
  const at::Tensor v = pairs_.vectors[steps_done()];
  const at::Tensor rest = op_.apply(v) - pairs_.values[lengths_.size()] * v;
  lengths_.push_back(at::linalg_vector_norm(rest).item<double>());
}

Resumable::State Residuals::state() const {
  return {{"lengths", at::tensor(lengths_, at::kDouble)}};
}

void Residuals::set_state(const State& state) {
  const at::Tensor& saved = state.at("lengths");
  lengths_.assign(saved.const_data_ptr<double>(), saved.const_data_ptr<double>() + saved.numel());
}

}  // namespace moefb::trainer
