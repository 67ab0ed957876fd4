// The optimisation loop of one run, from any position to its end.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "trainer/data/dataset.h"
#include "trainer/data/loader.h"
#include "trainer/distributed/rows.h"
#include "trainer/train/checkpoint.h"
#include "trainer/train/evaluate.h"
#include "trainer/train/metrics_log.h"
#include "trainer/train/optimizer.h"
#include "trainer/train/progress.h"
#include "trainer/train/routing_meter.h"
#include "trainer/train/run_config.h"
#include "trainer/train/weight_average.h"

namespace moefb::trainer {

class Training {
 public:
  /// A run at its beginning: seeds the generator, sets the thread count, makes the weights.
  /// @param config  resolved
  /// @param group   the processes that train it together, each with a share of every batch; must outlive this. The
  ///                first writes the run's files
  /// @param device  of this process; what is random is drawn on the CPU everywhere
  Training(const RunConfig& config, Dataset dataset, RunFolder folder, const Group& group = alone(),
           const at::Device& device = at::kCPU);
  /// The same with another network than the configuration's. @param model  its weights are made already, on its device
  Training(RunConfig config, Dataset dataset, RunFolder folder, std::shared_ptr<Network> model,
           const Group& group = alone());

  /// Moves to where the folder's checkpoint stands; stays at the beginning if it has none.
  void restore();

  /// Trains to the end, then tests the kept weights and writes golden.safetensors. A run that was tested already is
  /// left as it is.
  /// @param stop  asked after every step; when true, everything is saved
  /// @return whether the end was reached
  /// @throws std::runtime_error  also where the processes have different configurations, data or positions
  bool run(const std::function<bool()>& stop);

  const Position& position() const { return position_; }
  int64_t batches_per_epoch() const;
  /// Optimiser steps, each for `train.accumulate` batches; the last one may have fewer.
  int64_t steps_per_epoch() const;

 private:
  /// Makes sure that all processes begin alike.
  void agree() const;
  void save();
  bool complete() const;
  bool finished() const;
  bool stopped_early() const;
  void say_why_it_ended();
  /// Both: false if stopped.
  bool train_epoch(const std::function<bool()>& stop);
  bool validate_epoch(const std::function<bool()>& stop);

  /// Routing, its losses and frozen routers, where the family's schedule has them.
  void begin_epoch();
  Loader epoch_loader() const;
  /// One optimiser step. Its gradient is the mean over the pictures of all its batches.
  void train_step(Loader& loader);
  /// @param share  of the step's pictures
  void add_gradient(const Batch& batch, double share);
  int64_t pictures_in(int64_t first_batch, int64_t end_batch) const;
  at::Tensor training_images(const Batch& batch) const;
  /// Who has which pictures of a batch.
  BatchRows shares_of(const Batch& batch) const;
  /// This process's part of the mean over the batch. @param labels  of the whole batch
  at::Tensor class_loss(const at::Tensor& images, const at::Tensor& labels, const BatchRows& rows, NetworkOutput& out);
  void update_weights();
  LearningRates rates_of(int64_t step) const;
  /// The one point where every batch waits for the device. @param out, labels, loss  of the whole batch
  /// @throws std::runtime_error  the loss is no number
  void count(const NetworkOutput& out, const at::Tensor& labels, const at::Tensor& loss);
  void check_finite(double loss) const;
  void start_next_epoch();
  void keep_weights();
  void keep_epoch_weights() const;
  EpochRecord record(const Evaluation& validation, const RoutingMeter& meter) const;
  void test_kept_weights();
  std::string write_golden();
  void draw_history() const;
  std::unique_ptr<RoutingMeter> new_meter() const { return make_routing_meter(config_.model); }
  BatchLayout layout() const;

  const Group& group_;
  RunConfig config_;
  Dataset dataset_;
  RunFolder folder_;
  std::shared_ptr<Network> model_;
  at::Device device_;                       ///< the model's
  std::unique_ptr<WeightAverage> average_;  ///< null without train.ema
  std::unique_ptr<Optimizer> optimizer_;
  std::vector<at::Tensor> backbone_, routers_;  ///< parameters, clipped apart
  PatchEpoch plan_;                             ///< of the epoch under way
  Position position_;
  std::unique_ptr<RoutingMeter> routing_;
  MetricsLog metrics_;
  Progress progress_;
  ResourceMeter resources_;  ///< of the epoch under way
  double waited_s_ = 0;      ///< of the epoch under way, by this process
};

}  // namespace moefb::trainer
