#include "trainer/train/training.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <cmath>
#include <stdexcept>

#include "trainer/models/state_dict.h"
#include "trainer/train/golden_vector.h"

namespace moefb::trainer {
namespace {

std::shared_ptr<CifarNet> make_model(const RunConfig& config) {
  at::set_num_threads(int(config.train.threads));
  at::manual_seed(config.train.seed);
  auto model = std::make_shared<CifarNet>(config.model);
  if (config.train.channels_last.value()) use_channels_last(*model);
  return model;
}

SgdConfig sgd_config(const TrainConfig& train) {
  return {train.momentum, train.weight_decay, train.nesterov};
}

}  // namespace

Training::Training(RunConfig config, Dataset dataset, RunFolder folder)
    : config_(std::move(config)),
      dataset_(std::move(dataset)),
      folder_(std::move(folder)),
      model_(make_model(config_)),
      sgd_(*model_, sgd_config(config_.train)),
      routing_(experts()),
      metrics_(folder_.metrics(), 0),
      progress_(config_.train.schedule.epochs, batches_per_epoch()) {
  if (dataset_.train.size() == 0 || dataset_.val.size() == 0) {
    throw std::runtime_error("data set " + dataset_.name + " has no pictures to train on or to validate with");
  }
  position_.routing_sums = routing_.sums();
}

void Training::restore() {
  // Nothing saved yet: a run begins with the same bits whenever it begins.
  if (!has_checkpoint(folder_)) return;
  position_ = load_checkpoint(folder_, *model_, sgd_);
  routing_.set_sums(position_.routing_sums);
  metrics_ = MetricsLog(folder_.metrics(), position_.epoch);
}

int64_t Training::batches_per_epoch() const {
  return (dataset_.train.size() + config_.train.batch_size - 1) / config_.train.batch_size;
}

int64_t Training::experts() const {
  return config_.model.head == HeadKind::kDense ? 0 : config_.model.num_experts;
}

bool Training::run(const std::function<bool()>& stop) {
  while (!finished()) {
    if (!train_epoch(stop) || !validate_epoch(stop)) {
      save_checkpoint(folder_, *model_, sgd_, position_);
      progress_.say("stopped in epoch " + std::to_string(position_.epoch + 1) + " after " +
                    std::to_string(position_.batch) + " of " + std::to_string(batches_per_epoch()) +
                    " batches; everything is saved. Go on with: trainer resume " + folder_.path());
      return false;
    }
    save_checkpoint(folder_, *model_, sgd_, position_);
  }
  test_kept_weights();
  return true;
}

bool Training::train_epoch(const std::function<bool()>& stop) {
  progress_.start_epoch(position_.epoch + 1);
  const int64_t pictures = dataset_.train.size();
  const std::vector<int64_t> order = epoch_order(pictures, config_.train.seed, position_.epoch);
  model_->train();
  while (position_.batch < batches_per_epoch()) {
    if (stop()) return false;
    const int64_t first = position_.batch * config_.train.batch_size;
    const int64_t size = std::min(config_.train.batch_size, pictures - first);
    train_batch(std::span(order).subspan(size_t(first), size_t(size)));
    progress_.batch(position_.batch, size, position_.loss_sum / double(position_.batch),
                    double(position_.correct) / double(position_.pictures));
  }
  return true;
}

void Training::train_batch(std::span<const int64_t> indices) {
  std::vector<int64_t> labels;
  for (const int64_t index : indices) labels.push_back(dataset_.train.labels[size_t(index)]);
  const at::Tensor target = at::tensor(labels, at::kLong);

  sgd_.zero_grad();
  const Precision precision = config_.train.precision == PrecisionChoice::kBf16 ? Precision::kBf16 : Precision::kF32;
  const NetOutput out = model_->forward(training_images(indices), precision);
  at::Tensor loss =
      at::cross_entropy_loss(out.head.logits, target, {}, at::Reduction::Mean, -100, config_.train.label_smoothing);
  if (out.head.aux_loss.defined()) loss = loss + out.head.aux_loss;
  const double value = loss.item<double>();
  if (!std::isfinite(value)) {
    throw std::runtime_error("the loss became " + std::to_string(value) + " in epoch " +
                             std::to_string(position_.epoch + 1) + ", batch " + std::to_string(position_.batch + 1) +
                             ": try a lower train.learning_rate or a longer train.warmup_epochs");
  }
  loss.backward();
  sgd_.step(learning_rate(config_.train.schedule, position_.step, batches_per_epoch()));
  count(out.head, target, value);
}

at::Tensor Training::training_images(std::span<const int64_t> indices) const {
  const TrainConfig& train = config_.train;
  const at::Tensor images = load_images(dataset_, dataset_.train, indices, train.augment, train.seed, position_.epoch,
                                        train.channels_last.value());
  if (train.small_image == 0 || position_.epoch >= train.small_image_epochs) return images;
  return at::_upsample_bilinear2d_aa(images, {train.small_image, train.small_image}, /*align_corners=*/false);
}

void Training::count(const HeadOutput& head, const at::Tensor& labels, double loss) {
  position_.loss_sum += loss;
  position_.correct += head.logits.detach().argmax(1).eq(labels).sum().item<int64_t>();
  position_.pictures += labels.size(0);
  if (head.probs.defined()) routing_.add(head.probs);
  position_.routing_sums = routing_.sums();
  ++position_.batch;
  ++position_.step;
}

bool Training::validate_epoch(const std::function<bool()>& stop) {
  const double images_per_s = progress_.images_per_s();
  const auto validation = evaluate(*model_, dataset_, dataset_.val, layout(), stop);
  if (!validation) return false;
  const bool is_best = validation->accuracy > position_.best_val_acc;
  if (is_best) position_.best_val_acc = validation->accuracy;
  if (is_best || config_.train.keep == WeightChoice::kLast) {
    position_.kept_epoch = position_.epoch + 1;
    safetensors::write(folder_.kept_weights(), state_dict(*model_));
  }
  EpochRecord line = record(*validation);
  line.images_per_s = images_per_s;
  metrics_.add(line);
  progress_.epoch_done(line, is_best);
  start_next_epoch();
  return true;
}

EpochRecord Training::record(const Evaluation& validation) const {
  EpochRecord record;
  record.epoch = position_.epoch + 1;
  record.train_loss = position_.loss_sum / double(position_.batch);
  record.train_acc = double(position_.correct) / double(position_.pictures);
  record.val_loss = validation.loss;
  record.val_acc = validation.accuracy;
  record.routing = routing_record(routing_);
  record.val_routing = routing_record(routing_stats(validation));
  record.learning_rate = learning_rate(config_.train.schedule, position_.step - 1, batches_per_epoch());
  return record;
}

RoutingRecord Training::routing_record(const RoutingStats& stats) const {
  RoutingRecord record;
  record.util = stats.utilisation();
  record.entropy = stats.entropy();
  if (config_.model.head == HeadKind::kSparse) record.load = stats.load();
  return record;
}

void Training::start_next_epoch() {
  ++position_.epoch;
  position_.batch = 0;
  position_.loss_sum = 0;
  position_.correct = 0;
  position_.pictures = 0;
  routing_ = RoutingStats(experts());
  position_.routing_sums = routing_.sums();
}

void Training::test_kept_weights() {
  load_state_dict(*model_, safetensors::read(folder_.kept_weights()), folder_.kept_weights());
  const Evaluation test = *evaluate(*model_, dataset_, dataset_.test, layout());
  TestRecord line;
  line.test_loss = test.loss;
  line.test_acc = test.accuracy;
  line.tested_epoch = position_.kept_epoch;
  line.routing = routing_record(routing_stats(test));
  if (test.probs.defined()) {
    const at::Tensor means = class_expert_mean(test.probs, test.labels, config_.model.num_classes);
    for (int64_t c = 0; c < means.size(0); ++c) {
      const auto* row = means.const_data_ptr<double>() + c * means.size(1);
      line.class_expert_mean.emplace_back(row, row + means.size(1));
    }
  }
  metrics_.add(line);
  char text[96];
  std::snprintf(text, sizeof(text), "test loss %.4f  acc %.2f %%  (weights of epoch %ld)", test.loss,
                100 * test.accuracy, long(position_.kept_epoch));
  progress_.say(text);
  progress_.say(write_golden_vector(*model_, config_, folder_.golden()));
}

}  // namespace moefb::trainer
