#include "trainer/train/evaluate.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <numeric>

namespace moefb::trainer {

at::Tensor load_images(const Dataset& dataset, const PictureSet& set, std::span<const int64_t> indices,
                       const AugmentConfig& augment, uint64_t seed, int64_t epoch, bool channels_last) {
  const at::Tensor images = at::empty({int64_t(indices.size()), 3, set.height, set.width}, at::kFloat);
  make_batch(set, indices, dataset, augment, seed, epoch, {images.mutable_data_ptr<float>(), size_t(images.numel())});
  return channels_last ? images.contiguous(at::MemoryFormat::ChannelsLast) : images;
}

std::optional<Evaluation> evaluate(CifarNet& model, const Dataset& dataset, const PictureSet& set,
                                   const BatchLayout& layout, const std::function<bool()>& stop) {
  const at::NoGradGuard no_grad;
  model.eval();
  Evaluation result;
  result.labels = at::tensor(set.labels, at::kLong);
  std::vector<at::Tensor> logits, probs, topk_idx;
  double loss_sum = 0;
  for (int64_t first = 0; first < set.size(); first += layout.batch_size) {
    std::vector<int64_t> indices(size_t(std::min(layout.batch_size, set.size() - first)));
    std::iota(indices.begin(), indices.end(), first);
    const NetOutput out = model.forward(load_images(dataset, set, indices, {}, 0, 0, layout.channels_last));
    const at::Tensor labels = result.labels.narrow(0, first, int64_t(indices.size()));
    loss_sum += at::cross_entropy_loss(out.head.logits, labels).item<double>();
    logits.push_back(out.head.logits);
    if (out.head.probs.defined()) probs.push_back(out.head.probs);
    if (out.head.topk_idx.defined()) topk_idx.push_back(out.head.topk_idx);
    if (stop && stop()) return std::nullopt;
  }
  if (logits.empty()) return result;
  result.logits = at::cat(logits);
  if (!probs.empty()) result.probs = at::cat(probs);
  if (!topk_idx.empty()) result.topk_idx = at::cat(topk_idx);
  result.loss = loss_sum / double(logits.size());
  result.accuracy = result.logits.argmax(1).eq(result.labels).sum().item<double>() / double(set.size());
  return result;
}

RoutingStats routing_stats(const Evaluation& evaluation) {
  RoutingStats stats(evaluation.probs.defined() ? evaluation.probs.size(1) : 0);
  if (evaluation.probs.defined()) stats.add(evaluation.probs);
  return stats;
}

}  // namespace moefb::trainer
