// Where a run stands, saved so that it can go on with the same bits.
#pragma once

#include <torch/nn/module.h>

#include <vector>

#include "trainer/train/optimizer.h"
#include "trainer/train/run_folder.h"

namespace moefb::trainer {

/// Everything about a run's position that is neither weight nor momentum.
struct Position {
  int64_t epoch = 0;       ///< completed epochs
  int64_t batch = 0;       ///< completed batches of the epoch under way; all of them: its validation is still to do
  int64_t step = 0;        ///< completed optimiser steps; a run stops only between them
  int64_t kept_epoch = 0;  ///< whose weights model.safetensors holds; 0: none yet
  double best_val_acc = -1;
  double loss_sum = 0;  ///< of the epoch's batches so far
  int64_t correct = 0;  ///< of its pictures so far
  int64_t pictures = 0;
  std::vector<double> routing_sums;  ///< RoutingMeter::sums() of the epoch so far, when it is saved
};

/// Writes last.safetensors and optimizer.safetensors: weights, the optimiser's state, the default generator's state,
/// position. A crash at any moment leaves a pair that load_checkpoint() can read.
void save_checkpoint(const RunFolder& folder, const torch::nn::Module& model, const Optimizer& optimizer,
                     const Position& position);

bool has_checkpoint(const RunFolder& folder);

/// Where the checkpoint stands. @throws std::runtime_error that names the file and what it lacks
Position saved_position(const RunFolder& folder);

/// Restores all of it. @throws std::runtime_error that names the file and what it lacks
Position load_checkpoint(const RunFolder& folder, torch::nn::Module& model, Optimizer& optimizer);

}  // namespace moefb::trainer
