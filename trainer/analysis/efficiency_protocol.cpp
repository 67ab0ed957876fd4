#include "trainer/analysis/efficiency_protocol.h"

#include <algorithm>

#include "trainer/analysis/picture_choice.h"
#include "trainer/train/batch_images.h"

namespace moefb::trainer {
namespace {

/// The first `count` batches, from the beginning again where there are fewer.
std::vector<at::Tensor> in_turn(const std::vector<at::Tensor>& batches, int64_t count) {
  std::vector<at::Tensor> taken;
  for (int64_t i = 0; i < count; ++i) taken.push_back(batches[size_t(i) % batches.size()]);
  return taken;
}

}  // namespace

Protocol protocol_of(const NetworkConfig& config, const EfficiencyOptions& options, const at::Device& device) {
  Protocol protocol;
  if (std::holds_alternative<ModelConfig>(config)) {
    protocol = {"cifar-heads 12.4", device.is_cpu() ? 32 : 256, 3, 20, /*starts_again=*/true};
    if (options.published) protocol.warmup = 30, protocol.batches = 200;
  } else {
    protocol = {"patch-moe 11", 1, 5, 30, /*starts_again=*/false};
    if (options.published) protocol.batches = 96;
  }
  protocol.warmup = options.warmup.value_or(protocol.warmup);
  protocol.batches = options.batches.value_or(protocol.batches);
  return protocol;
}

TimedPictures load_pictures(const TrainedRun& run, Protocol& protocol, uint64_t seed) {
  const PictureSet& set = run.dataset.test;
  protocol.batch = std::min(protocol.batch, set.size());
  const int64_t available = set.size() / protocol.batch;
  if (!protocol.starts_again) protocol.warmup = std::min(protocol.warmup, available - 1);
  const int64_t used_up = protocol.starts_again ? 0 : protocol.warmup;
  protocol.batches = std::min(protocol.batches, available - used_up);

  const std::vector<int64_t> order = draw_pictures(set.size(), (used_up + protocol.batches) * protocol.batch, seed);
  TimedPictures pictures;
  for (const int64_t index : order) pictures.labels.push_back(set.labels[size_t(index)]);
  std::vector<at::Tensor> batches;
  Loader loader(run.dataset, set, {}, 0, 0, order, protocol.batch, run.layout().workers);
  while (const auto batch = loader.next()) batches.push_back(batch_images(*batch, set, /*channels_last=*/false));
  // Without a warm-up the answers are compared all the same.
  pictures.rounds.warmup = in_turn(batches, std::max<int64_t>(1, protocol.warmup));
  pictures.rounds.timed.assign(batches.begin() + used_up, batches.end());
  return pictures;
}

}  // namespace moefb::trainer
