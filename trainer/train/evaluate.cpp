#include "trainer/train/evaluate.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "trainer/train/batch_images.h"
#include "trainer/train/outputs_of_all.h"

namespace moefb::trainer {
namespace {

/// The pictures of this process's batches: of each round one. Only the last batch of all is short, so that a loader
/// finds the same batches in them.
std::vector<int64_t> own_batches(int64_t pictures, int64_t batch_size, const Group& group) {
  std::vector<int64_t> indices;
  for (int64_t first = group.rank() * batch_size; first < pictures; first += group.size() * batch_size) {
    for (int64_t i = first; i < std::min(first + batch_size, pictures); ++i) indices.push_back(i);
  }
  return indices;
}

/// The answers of a pass, batch by batch.
class Answers {
 public:
  void add(const NetworkOutput& out, const at::Tensor& labels) {
    const at::Tensor loss = at::cross_entropy_loss(out.logits, labels).to(at::kDouble);
    loss_sum_ = loss_sum_.defined() ? loss_sum_ + loss : loss;
    logits_.push_back(out.logits);
    if (out.head.probs.defined()) probs_.push_back(out.head.probs);
    if (out.head.topk_idx.defined()) topk_idx_.push_back(out.head.topk_idx);
  }

  /// Until here nobody waited for the device. @param labels  on the CPU
  Evaluation finish(const at::Tensor& labels) const {
    Evaluation result;
    result.labels = labels;
    if (logits_.empty()) return result;
    result.logits = at::cat(logits_).to(at::kCPU);
    if (!probs_.empty()) result.probs = at::cat(probs_).to(at::kCPU);
    if (!topk_idx_.empty()) result.topk_idx = at::cat(topk_idx_).to(at::kCPU);
    result.loss = loss_sum_.item<double>() / double(logits_.size());
    result.accuracy = result.logits.argmax(1).eq(labels).sum().item<double>() / double(labels.size(0));
    return result;
  }

 private:
  at::Tensor loss_sum_;
  std::vector<at::Tensor> logits_, probs_, topk_idx_;
};

}  // namespace

std::optional<Evaluation> evaluate(Network& network, const Dataset& dataset, const PictureSet& set,
                                   const BatchLayout& layout, RoutingMeter* meter, const std::function<bool()>& stop,
                                   const Group& group) {
  const at::NoGradGuard no_grad;
  network.module().eval();
  const at::Device device = device_of(network.module());
  const at::Tensor labels = at::tensor(set.labels, at::kLong);
  const at::Tensor labels_there = upload(labels, device);
  Loader loader(dataset, set, {}, 0, 0, own_batches(set.size(), layout.batch_size, group), layout.batch_size,
                layout.workers);
  Answers answers;
  int64_t first = 0;
  while (first < set.size()) {
    // In the last round some processes have no batch.
    const Batch batch = loader.next().value_or(Batch{});
    const NetworkOutput own = network.run(batch_images(batch, set, layout.channels_last, device));
    for (const NetworkOutput& out : outputs_of_all(own, group)) {
      const int64_t size = out.logits.size(0);
      if (size == 0) continue;
      answers.add(out, labels_there.narrow(0, first, size));
      if (meter) meter->add(out);
      first += size;
    }
    if (stop && stop()) return std::nullopt;
  }
  return answers.finish(labels);
}

}  // namespace moefb::trainer
