#include "trainer/analysis/sample_loss.h"

#include <ATen/ATen.h>

namespace moefb::trainer {

SampleLoss::SampleLoss(Network& network, PictureSample sample, RouteMode routing)
    : network_(network), sample_(std::move(sample)) {
  const at::NoGradGuard no_grad;
  network_.module().eval();
  std::vector<NetworkOutput> routes;
  for (int64_t b = 0; b < batches(); ++b) {
    pictures_ += sample_[size_t(b)].labels.size(0);
    if (routing == RouteMode::kFrozen) routes.push_back(answer(b));
  }
  routes_ = std::move(routes);
}

double SampleLoss::weight(int64_t batch) const {
  return double(sample_[size_t(batch)].labels.size(0)) / double(pictures_);
}

NetworkOutput SampleLoss::answer(int64_t batch) const {
  const at::Tensor& images = sample_[size_t(batch)].images;
  return routes_.empty() ? network_.run(images) : network_.rerun(images, routes_[size_t(batch)]);
}

at::Tensor SampleLoss::batch_loss(int64_t batch) const {
  return at::cross_entropy_loss(answer(batch).logits, sample_[size_t(batch)].labels);
}

SampleLoss::Point SampleLoss::evaluate() const {
  const at::NoGradGuard no_grad;
  Point point;
  for (int64_t b = 0; b < batches(); ++b) {
    const at::Tensor logits = answer(b).logits;
    const at::Tensor& labels = sample_[size_t(b)].labels;
    point.loss += weight(b) * at::cross_entropy_loss(logits, labels).item<double>();
    point.accuracy += logits.argmax(1).eq(labels).sum().item<double>() / double(pictures_);
  }
  return point;
}

}  // namespace moefb::trainer
