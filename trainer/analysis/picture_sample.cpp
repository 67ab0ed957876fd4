#include "trainer/analysis/picture_sample.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <algorithm>

#include "trainer/train/batch_images.h"

namespace moefb::trainer {
namespace {

std::vector<int64_t> draw_indices(int64_t available, int64_t pictures, uint64_t seed) {
  const at::Tensor order = at::randperm(available, at::detail::createCPUGenerator(seed), at::kLong);
  const auto* first = order.const_data_ptr<int64_t>();
  return {first, first + std::min(pictures, available)};
}

at::Tensor labels_of(const PictureSet& set, std::span<const int64_t> indices) {
  std::vector<int64_t> labels;
  for (const int64_t index : indices) labels.push_back(set.labels[size_t(index)]);
  return at::tensor(labels, at::kLong);
}

}  // namespace

PictureSample draw_sample(const Dataset& dataset, const PictureSet& set, int64_t pictures, uint64_t seed,
                          int64_t batch_size, const at::TensorOptions& options) {
  Loader loader(dataset, set, {}, 0, 0, draw_indices(set.size(), pictures, seed), batch_size, /*workers=*/1);
  PictureSample sample;
  while (const std::optional<Batch> batch = loader.next()) {
    sample.push_back({batch_images(*batch, set, /*channels_last=*/false).to(options),
                      labels_of(set, batch->indices).to(options.device())});
  }
  return sample;
}

}  // namespace moefb::trainer
