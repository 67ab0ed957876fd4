// The optimisation loop of one run, from any position to its end.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "trainer/data/dataset.h"
#include "trainer/models/cifar_net.h"
#include "trainer/train/checkpoint.h"
#include "trainer/train/evaluate.h"
#include "trainer/train/metrics_log.h"
#include "trainer/train/progress.h"
#include "trainer/train/run_config.h"
#include "trainer/train/sgd.h"

namespace moefb::trainer {

class Training {
 public:
  /// A run at its beginning: seeds the generator, sets the thread count, makes the weights.
  /// @param config  resolved
  Training(RunConfig config, Dataset dataset, RunFolder folder);

  /// Moves to where the folder's checkpoint stands; stays at the beginning if it has none.
  void restore();

  /// Trains to the end, then tests the best weights and writes golden.safetensors.
  /// @param stop  asked after every batch; when true, everything is saved
  /// @return whether the end was reached
  bool run(const std::function<bool()>& stop);

  const Position& position() const { return position_; }
  int64_t batches_per_epoch() const;

 private:
  bool finished() const { return position_.epoch == config_.train.schedule.epochs; }
  /// Both: false if stopped.
  bool train_epoch(const std::function<bool()>& stop);
  bool validate_epoch(const std::function<bool()>& stop);

  void train_batch(std::span<const int64_t> indices);
  at::Tensor training_images(std::span<const int64_t> indices) const;
  void count(const HeadOutput& head, const at::Tensor& labels, double loss);
  void start_next_epoch();
  EpochRecord record(const Evaluation& validation) const;
  RoutingRecord routing_record(const RoutingStats& stats) const;
  void test_kept_weights();
  int64_t experts() const;
  BatchLayout layout() const { return {config_.train.batch_size, config_.train.channels_last.value()}; }

  RunConfig config_;
  Dataset dataset_;
  RunFolder folder_;
  std::shared_ptr<CifarNet> model_;
  Sgd sgd_;
  Position position_;
  RoutingStats routing_;
  MetricsLog metrics_;
  Progress progress_;
};

}  // namespace moefb::trainer
