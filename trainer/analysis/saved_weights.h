// The weights that a run has kept from its training, in the order in which it had them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "trainer/train/run_folder.h"

namespace moefb::trainer {

struct SavedWeights {
  int64_t epoch = 0;  ///< completed ones; of weights saved in the middle of an epoch, that epoch
  std::string file;   ///< name in the run's folder

  bool operator==(const SavedWeights&) const = default;
};

/// weights-epoch-NNNN.safetensors, last.safetensors, and model.safetensors where its epoch is known, by epoch; of files
/// of one epoch the one named first here. An imported run has its model alone, of epoch 0.
/// @throws std::runtime_error that names optimizer.safetensors, if it is damaged
std::vector<SavedWeights> saved_weights(const RunFolder& folder);

/// model.safetensors, with its epoch where that is known, else 0. @throws like saved_weights
SavedWeights kept_weights(const RunFolder& folder);

}  // namespace moefb::trainer
