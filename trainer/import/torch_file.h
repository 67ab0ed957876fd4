// Files written by torch.save, the published training script's among them.
#pragma once

#include <string>

#include "converter/safetensors.h"

namespace moefb::trainer {

/// The published container {"model": state_dict, "val_acc": float}.
struct PublishedCheckpoint {
  safetensors::File weights;  ///< under their own keys, contiguous
  double val_acc = 0;         ///< 0..1, as its training script stored it
};

/// Reads the zip file whole; no code in it is run.
/// @throws std::runtime_error that names file and tensor, what was found and what was expected: no zip file of
/// torch.save, damaged, a pickle that is more than tensors, another container, a key twice, tensors that reach outside
/// their storage, weights that are not finite
PublishedCheckpoint read_published_checkpoint(const std::string& path);

}  // namespace moefb::trainer
