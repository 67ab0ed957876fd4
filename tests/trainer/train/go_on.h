// A run that goes on from its folder, as after `trainer resume`.
#pragma once

#include "trainer/train/training.h"

namespace moefb::trainer {

/// @param batches  then it is stopped again @return whether it reached its end
inline bool go_on(const RunFolder& folder, int64_t batches, const at::Device& device = at::kCPU) {
  RunConfig config = load_run_config(folder.config());
  Dataset dataset = load_dataset(config.data);
  resolve(config, dataset);
  Training training(config, dataset, folder, alone(), device);
  training.restore();
  const int64_t last = training.position().step + batches;
  return training.run([&] { return training.position().step >= last; });
}

}  // namespace moefb::trainer
