#include "trainer/train/evaluate.h"

#include <ATen/ATen.h>

#include <numeric>

#include "trainer/train/batch_images.h"

namespace moefb::trainer {
namespace {

std::vector<int64_t> in_order(int64_t count) {
  std::vector<int64_t> indices(static_cast<size_t>(count));
  std::iota(indices.begin(), indices.end(), 0);
  return indices;
}

/// The answers of a pass, batch by batch.
class Answers {
 public:
  void add(const NetworkOutput& out, const at::Tensor& labels) {
    loss_sum_ += at::cross_entropy_loss(out.logits, labels).item<double>();
    logits_.push_back(out.logits);
    if (out.head.probs.defined()) probs_.push_back(out.head.probs);
    if (out.head.topk_idx.defined()) topk_idx_.push_back(out.head.topk_idx);
  }

  Evaluation finish(const at::Tensor& labels) const {
    Evaluation result;
    result.labels = labels;
    if (logits_.empty()) return result;
    result.logits = at::cat(logits_);
    if (!probs_.empty()) result.probs = at::cat(probs_);
    if (!topk_idx_.empty()) result.topk_idx = at::cat(topk_idx_);
    result.loss = loss_sum_ / double(logits_.size());
    result.accuracy = result.logits.argmax(1).eq(labels).sum().item<double>() / double(labels.size(0));
    return result;
  }

 private:
  double loss_sum_ = 0;
  std::vector<at::Tensor> logits_, probs_, topk_idx_;
};

}  // namespace

std::optional<Evaluation> evaluate(Network& network, const Dataset& dataset, const PictureSet& set,
                                   const BatchLayout& layout, RoutingMeter* meter, const std::function<bool()>& stop) {
  const at::NoGradGuard no_grad;
  network.module().eval();
  const at::Tensor labels = at::tensor(set.labels, at::kLong);
  Loader loader(dataset, set, {}, 0, 0, in_order(set.size()), layout.batch_size, layout.workers);
  Answers answers;
  int64_t first = 0;
  while (const std::optional<Batch> batch = loader.next()) {
    const NetworkOutput out = network.run(batch_images(*batch, set, layout.channels_last));
    const auto size = int64_t(batch->indices.size());
    answers.add(out, labels.narrow(0, first, size));
    if (meter) meter->add(out);
    first += size;
    if (stop && stop()) return std::nullopt;
  }
  return answers.finish(labels);
}

}  // namespace moefb::trainer
