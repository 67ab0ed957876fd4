// Files written by torch.save: those of the two published training scripts.
#pragma once

#include <cstdint>
#include <optional>
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

/// What a Lightning checkpoint (`last.ckpt`) holds of a model; all else in it is for going on with training.
struct LightningCheckpoint {
  safetensors::File weights;     ///< under the model's own keys, without `model.`; contiguous
  std::optional<int64_t> epoch;  ///< the last one that was trained, counted from 0; absent from a bare state_dict
};

/// Reads {"state_dict": {"model.KEY": tensor, ...}, "epoch": int, ...} or a bare state_dict, whose keys carry `model.`
/// all or not at all. The zip file is read whole; no code in it is run.
/// @throws std::runtime_error  as read_published_checkpoint(); also for a state_dict without tensors, a key that lacks
/// `model.`, an epoch that is no count
LightningCheckpoint read_lightning_checkpoint(const std::string& path);

}  // namespace moefb::trainer
