#include "trainer/analysis/hessian_operator.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include <memory>

namespace moefb::trainer {
namespace {

using torch::autograd::grad;

/// The gradient of one batch, with its graph. Undefined for parameters that the loss does not depend on.
std::vector<at::Tensor> batch_gradient(const SampleLoss& loss, const ParameterVector& vector, int64_t batch) {
  return grad({loss.batch_loss(batch)}, vector.parameters(), {}, std::nullopt, /*create_graph=*/true,
              /*allow_unused=*/true);
}

/// d (gradient . v) / d parameters. @param keep  whether the gradient's graph is needed again
at::Tensor slope_along(const std::vector<at::Tensor>& gradient, const ParameterVector& vector, const at::Tensor& v,
                       bool keep) {
  const std::vector<at::Tensor> directions = vector.split(v);
  std::vector<at::Tensor> outputs, weights;
  for (size_t i = 0; i < gradient.size(); ++i) {
    if (!gradient[i].defined() || !gradient[i].requires_grad()) continue;
    outputs.push_back(gradient[i]);
    weights.push_back(directions[i]);
  }
  if (outputs.empty()) return at::zeros({vector.size()}, vector.options());
  return vector.join(grad(outputs, vector.parameters(), weights, /*retain_graph=*/keep, /*create_graph=*/false,
                          /*allow_unused=*/true));
}

/// The gradients of all batches, made when first asked for.
class Gradients {
 public:
  Gradients(const SampleLoss& loss, const ParameterVector& vector, bool keep)
      : loss_(loss), vector_(vector), kept_(keep ? size_t(loss.batches()) : 0) {}

  bool keeps() const { return !kept_.empty(); }
  std::vector<at::Tensor> of_batch(int64_t batch) {
    if (!keeps()) return batch_gradient(loss_, vector_, batch);
    std::vector<at::Tensor>& gradient = kept_[size_t(batch)];
    if (gradient.empty()) gradient = batch_gradient(loss_, vector_, batch);
    return gradient;
  }

 private:
  const SampleLoss& loss_;
  const ParameterVector& vector_;
  std::vector<std::vector<at::Tensor>> kept_;
};

}  // namespace

SymmetricOperator hessian_operator(const SampleLoss& loss, const ParameterVector& vector, Graphs graphs,
                                   std::function<bool()> stop) {
  const auto gradients = std::make_shared<Gradients>(loss, vector, graphs == Graphs::kKeep);
  const auto apply = [&loss, &vector, gradients, stop = std::move(stop)](const at::Tensor& v) {
    at::Tensor product = at::zeros({vector.size()}, vector.options());
    for (int64_t b = 0; b < loss.batches(); ++b) {
      if (stop && stop()) throw Stopped();
      product.add_(slope_along(gradients->of_batch(b), vector, v, gradients->keeps()), loss.weight(b));
    }
    return product;
  };
  return {vector.size(), vector.options(), apply};
}

}  // namespace moefb::trainer
