#include "trainer/train/golden_vector.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <limits>

#include "converter/safetensors.h"
#include "trainer/models/state_dict.h"

namespace moefb::trainer {
namespace {

constexpr int64_t kBatch = 4;
constexpr int kTries = 100;
constexpr double kMinMargin = 2e-3;

// Smallest lead of the k-th score over the next; infinite where every expert is chosen, or there is no choice.
double smallest_margin(const HeadOutput& head) {
  if (!head.topk_idx.defined() || head.topk_idx.size(1) == head.gate_scores.size(1)) {
    return std::numeric_limits<double>::infinity();
  }
  const int64_t k = head.topk_idx.size(1);
  const at::Tensor best = std::get<0>(head.gate_scores.topk(k + 1, 1));
  return (best.select(1, k - 1) - best.select(1, k)).min().item<double>();
}

safetensors::File golden_file(const at::Tensor& input, const HeadOutput& head, uint64_t seed, double margin) {
  safetensors::File file;
  file.tensors["input"] = from_torch(input);
  file.tensors["logits"] = from_torch(head.logits);
  if (head.topk_idx.defined()) file.tensors["topk_idx"] = from_torch(head.topk_idx);
  file.metadata["seed"] = std::to_string(seed);
  if (margin < std::numeric_limits<double>::infinity()) file.metadata["top1_margin"] = std::to_string(margin);
  return file;
}

}  // namespace

std::string write_golden_vector(CifarNet& model, const RunConfig& config, const std::string& path) {
  const at::NoGradGuard no_grad;
  model.eval();
  const int64_t side = config.model.image;
  for (int attempt = 0; attempt < kTries; ++attempt) {
    const uint64_t seed = config.train.seed + uint64_t(attempt);
    const at::Tensor input = at::randn({kBatch, 3, side, side}, at::detail::createCPUGenerator(seed));
    const HeadOutput head = model.forward(input).head;
    const double margin = smallest_margin(head);
    if (margin < kMinMargin) continue;
    safetensors::write(path, golden_file(input, head, seed, margin));
    return "golden vector drawn from seed " + std::to_string(seed) + " written to " + path;
  }
  return "no golden vector: under none of " + std::to_string(kTries) + " seeds did every route have a clear lead";
}

}  // namespace moefb::trainer
