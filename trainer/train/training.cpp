#include "trainer/train/training.h"

#include <ATen/ATen.h>
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <c10/util/env.h>

#include <cmath>
#include <stdexcept>

#include "converter/atomic_file.h"
#include "trainer/distributed/agreement.h"
#include "trainer/distributed/gradients.h"
#include "trainer/models/cifar_net.h"
#include "trainer/models/device.h"
#include "trainer/models/network_place.h"
#include "trainer/models/state_dict.h"
#include "trainer/train/adamw.h"
#include "trainer/train/batch_images.h"
#include "trainer/train/counted.h"
#include "trainer/train/golden_vector.h"
#include "trainer/train/outputs_of_all.h"
#include "trainer/train/routing_stats.h"
#include "trainer/train/sgd.h"
#include "trainer/train/tensorboard.h"

namespace moefb::trainer {
namespace {

/// Of the whole process.
void set_up_libtorch(const TrainConfig& config, const at::Device& device) {
  at::set_num_threads(int(config.threads));
  at::globalContext().setDeterministicAlgorithms(config.deterministic, /*warn_only=*/false);
  // cuBLAS repeats its bits only with a workspace of fixed size, and reads this when it starts.
  if (config.deterministic) c10::utils::set_env("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /*overwrite=*/false);
  forbid_tf32();
  enter(device);
}

/// Made on the CPU, so that the first weights are the same on every device.
std::shared_ptr<Network> make_model(const RunConfig& config, const Group& group, const at::Device& device) {
  set_up_libtorch(config.train, device);
  at::manual_seed(config.train.seed);
  auto model = make_network(config.model, config.train.dispatch, group);
  if (config.train.channels_last.value()) use_channels_last(model->module());
  move_network(model->module(), device);
  return model;
}

std::unique_ptr<Optimizer> make_optimizer(const RunConfig& config, torch::nn::Module& module) {
  const TrainConfig& train = config.train;
  if (train.optimizer == OptimizerKind::kSgd) {
    return std::make_unique<Sgd>(module, SgdConfig{train.momentum, train.weight_decay, train.nesterov});
  }
  AdamWConfig adamw;
  adamw.weight_decay = train.weight_decay;
  const bool patches = std::holds_alternative<PatchNetConfig>(config.model);
  return std::make_unique<AdamW>(module, adamw, patches ? group_by_name : group_by_rank);
}

std::unique_ptr<WeightAverage> make_average(const RunConfig& config, const torch::nn::Module& module) {
  return config.train.ema > 0 ? std::make_unique<WeightAverage>(module, config.train.ema) : nullptr;
}

std::unique_ptr<Optimizer> make_optimizer(const RunConfig& config, torch::nn::Module& module, WeightAverage* average) {
  std::unique_ptr<Optimizer> optimizer = make_optimizer(config, module);
  if (!average) return optimizer;
  return std::make_unique<AveragingOptimizer>(std::move(optimizer), *average);
}

at::Tensor labels_of(const PictureSet& set, std::span<const int64_t> indices) {
  std::vector<int64_t> labels;
  for (const int64_t index : indices) labels.push_back(set.labels[size_t(index)]);
  return at::tensor(labels, at::kLong);
}

/// What all processes must have alike. Their machines may have other numbers of cores.
std::string shared_settings(RunConfig config) {
  config.train.threads = 0;
  config.train.cores_shared_by = 0;
  config.train.workers = 0;
  config.data.path.clear();
  return to_json(config);
}

std::string fingerprint_of(const Dataset& dataset) {
  std::string text;
  for (const PictureSet* set : {&dataset.train, &dataset.val, &dataset.test}) {
    for (const int64_t label : set->labels) text += std::to_string(label) + ' ';
    text += '\n';
  }
  return text;
}

/// Processor time and memory of all processes, which share neither.
ResourceUse over_all(ResourceUse use, const Group& group) {
  const at::Tensor sums = group.sum(at::tensor({use.cpu_seconds, use.peak_rss_mib, use.peak_device_mib}, at::kDouble));
  use.cpu_seconds = sums[0].item<double>();
  use.peak_rss_mib = sums[1].item<double>();
  use.peak_device_mib = sums[2].item<double>();
  return use;
}

/// A process's part of a mean over all rows, from the mean over its own. Without rows it is 0, but still hangs on the
/// network, since the others wait for this process in their backward pass.
/// @param mean  computes it
template <typename Mean>
at::Tensor own_part(const at::Tensor& logits, const BatchRows& rows, const Mean& mean) {
  if (rows.count() == 0) return logits.sum();
  return mean() * (double(rows.count()) / double(rows.total()));
}

}  // namespace

Training::Training(const RunConfig& config, Dataset dataset, RunFolder folder, const Group& group,
                   const at::Device& device)
    : Training(config, std::move(dataset), std::move(folder), make_model(config, group, device), group) {}

Training::Training(RunConfig config, Dataset dataset, RunFolder folder, std::shared_ptr<Network> model,
                   const Group& group)
    : group_(group),
      config_(std::move(config)),
      dataset_(std::move(dataset)),
      folder_(std::move(folder)),
      model_(std::move(model)),
      device_(device_of(model_->module())),
      average_(make_average(config_, model_->module())),
      optimizer_(make_optimizer(config_, model_->module(), average_.get())),
      backbone_(backbone_parameters(model_->module())),
      routers_(router_parameters(model_->module())),
      routing_(new_meter()),
      metrics_(folder_.metrics(), 0, group.is_first()),
      progress_(config_.train.schedule.epochs, batches_per_epoch(), group.is_first()),
      resources_(device_) {
  if (dataset_.train.size() == 0 || dataset_.val.size() == 0) {
    throw std::runtime_error("data set " + dataset_.name + " has no pictures to train on or to validate with");
  }
}

void Training::restore() {
  // The first process may have to finish renaming what a crash interrupted: the others read after it.
  if (!group_.is_first()) group_.barrier();
  // Nothing saved yet: a run begins with the same bits whenever it begins.
  if (has_checkpoint(folder_)) {
    position_ = load_checkpoint(folder_, model_->module(), *optimizer_);
    routing_->set_sums(position_.routing_sums);
    metrics_ = MetricsLog(folder_.metrics(), position_.epoch, group_.is_first());
  }
  if (group_.is_first()) group_.barrier();
}

void Training::agree() const {
  if (group_.size() == 1) return;  // nobody to compare with: spares a walk over all labels
  check_same(group_, shared_settings(config_), "configuration");
  check_same(group_, fingerprint_of(dataset_), "set of pictures");
  check_same(group_, std::to_string(position_.step), "position in the run");
  share_tensors(group_, model_->module().parameters());
  share_tensors(group_, model_->module().buffers());
}

void Training::save() {
  position_.routing_sums = routing_->sums();
  if (group_.is_first()) save_checkpoint(folder_, model_->module(), *optimizer_, position_);
}

bool Training::complete() const {
  return finished() && group_.any(group_.is_first() && is_tested(folder_.metrics()));
}

int64_t Training::batches_per_epoch() const {
  return (dataset_.train.size() + config_.train.batch_size - 1) / config_.train.batch_size;
}

int64_t Training::steps_per_epoch() const {
  return (batches_per_epoch() + config_.train.accumulate - 1) / config_.train.accumulate;
}

int64_t Training::pictures_in(int64_t first_batch, int64_t end_batch) const {
  const int64_t size = config_.train.batch_size;
  return std::min(end_batch * size, dataset_.train.size()) - first_batch * size;
}

BatchLayout Training::layout() const {
  return {config_.train.batch_size, config_.train.channels_last.value(), int(config_.train.workers)};
}

bool Training::stopped_early() const {
  return patience_is_over(config_.train.patience, metrics_.epochs());
}

bool Training::finished() const {
  return position_.epoch == config_.train.schedule.epochs || stopped_early();
}

void Training::say_why_it_ended() {
  if (!stopped_early()) return;
  char text[128];
  std::snprintf(text, sizeof(text), "stopped early after epoch %ld: the validation accuracy was not better for %s",
                long(position_.epoch), counted(config_.train.patience.epochs, "epoch").c_str());
  progress_.say(text);
}

bool Training::run(const std::function<bool()>& stop_here) {
  const auto stop = [&] { return group_.any(stop_here()); };
  agree();
  if (complete()) {
    say_why_it_ended();
    progress_.say("the run is complete: " + folder_.path() + " has all its results");
    return true;
  }
  while (!finished()) {
    if (!train_epoch(stop) || !validate_epoch(stop)) {
      save();
      progress_.say("stopped in epoch " + std::to_string(position_.epoch + 1) + " after " +
                    std::to_string(position_.batch) + " of " + counted(batches_per_epoch(), "batch") +
                    "; everything is saved. Go on with: trainer resume " + folder_.path());
      return false;
    }
    save();
  }
  say_why_it_ended();
  test_kept_weights();
  return true;
}

void Training::begin_epoch() {
  if (config_.train.schedule.kind != Schedule::kPatch) return;
  plan_ = patch_epoch(config_.train.patch, position_.epoch);
  model_->set_phase(plan_.phase, plan_.losses);
  freeze_routers(model_->module(), plan_.phase.uniform);
}

Loader Training::epoch_loader() const {
  const TrainConfig& train = config_.train;
  return {dataset_,         dataset_.train,
          train.augment,    train.seed,
          position_.epoch,  epoch_order(dataset_.train.size(), train.seed, position_.epoch),
          train.batch_size, int(train.workers),
          position_.batch,  {group_.rank(), group_.size()}};
}

bool Training::train_epoch(const std::function<bool()>& stop) {
  progress_.start_epoch(position_.epoch + 1);
  resources_.restart();
  begin_epoch();
  Loader loader = epoch_loader();
  model_->module().train();
  waited_s_ = 0;
  while (position_.batch < batches_per_epoch()) {
    if (stop()) return false;
    train_step(loader);
    waited_s_ = loader.waited_s();
  }
  return true;
}

void Training::train_step(Loader& loader) {
  const int64_t end = std::min(position_.batch + config_.train.accumulate, batches_per_epoch());
  const auto pictures = double(pictures_in(position_.batch, end));
  optimizer_->zero_grad();
  while (position_.batch < end) {
    const Batch batch = loader.next().value();
    add_gradient(batch, double(batch.whole.size()) / pictures);
    progress_.batch(position_.batch, int64_t(batch.whole.size()), position_.loss_sum / double(position_.batch),
                    double(position_.correct) / double(position_.pictures));
  }
  update_weights();
  ++position_.step;
}

void Training::add_gradient(const Batch& batch, double share) {
  const at::Tensor labels = upload(labels_of(dataset_.train, batch.whole), device_);
  NetworkOutput out;
  at::Tensor loss = class_loss(training_images(batch), labels, shares_of(batch), out);
  // Every process knows the routers' losses over all of them: each takes its part.
  if (out.aux_loss.defined()) loss = loss + out.aux_loss / double(group_.size());
  const at::Tensor whole_loss = group_.sum(loss.detach());
  (share == 1 ? loss : loss * share).backward();
  count(joined(outputs_of_all(out, group_)), labels, whole_loss);
}

at::Tensor Training::training_images(const Batch& batch) const {
  const TrainConfig& train = config_.train;
  const at::Tensor images = batch_images(batch, dataset_.train, train.channels_last.value(), device_);
  if (train.small_image == 0 || position_.epoch >= train.small_image_epochs) return images;
  return at::_upsample_bilinear2d_aa(images, {train.small_image, train.small_image}, /*align_corners=*/false);
}

BatchRows Training::shares_of(const Batch& batch) const {
  const Share share = {group_.rank(), group_.size()};
  const auto pictures = int64_t(batch.whole.size());
  std::vector<int64_t> counts;
  for (int64_t rank = 0; rank < share.count; ++rank) {
    counts.push_back(share.begin(rank + 1, pictures) - share.begin(rank, pictures));
  }
  return {group_, counts};
}

at::Tensor Training::class_loss(const at::Tensor& images, const at::Tensor& labels, const BatchRows& rows,
                                NetworkOutput& out) {
  const TrainConfig& train = config_.train;
  const Precision precision = train.precision == PrecisionChoice::kBf16 ? Precision::kBf16 : Precision::kF32;
  const at::Tensor own_labels = rows.own(labels);
  if (train.mix) {
    const MixDraw draw = draw_mix(train.mixing, {rows.total(), images.size(1), images.size(2), images.size(3)});
    const at::Tensor partners = upload(rows.own(draw.perm), device_);  // may be another process's pictures
    const MixedBatch mixed = mix(images, rows.gather(images).index_select(0, partners), draw);
    out = model_->run(mixed.images, precision);
    return own_part(out.logits, rows, [&] {
      return mixed_cross_entropy(out.logits, own_labels, labels.index_select(0, partners), mixed.lam,
                                 train.label_smoothing);
    });
  }
  out = model_->run(images, precision);
  return own_part(out.logits, rows, [&] {
    return at::cross_entropy_loss(out.logits, own_labels, {}, at::Reduction::Mean, -100, train.label_smoothing);
  });
}

LearningRates Training::rates_of(int64_t step) const {
  const ScheduleConfig& schedule = config_.train.schedule;
  if (schedule.kind == Schedule::kPatch) return plan_.rates;
  const double rate = learning_rate(schedule, step, steps_per_epoch());
  return {rate, rate};
}

void Training::update_weights() {
  sum_gradients(model_->module().parameters(), group_);
  if (config_.train.clip_norm > 0) clip_gradients(backbone_, config_.train.clip_norm);
  if (config_.train.router_clip_norm > 0) clip_gradients(routers_, config_.train.router_clip_norm);
  optimizer_->step(rates_of(position_.step));
}

void Training::check_finite(double loss) const {
  if (std::isfinite(loss)) return;
  throw std::runtime_error("the loss became " + std::to_string(loss) + " in epoch " +
                           std::to_string(position_.epoch + 1) + ", batch " + std::to_string(position_.batch + 1) +
                           ": try a lower train.learning_rate or a longer train.warmup_epochs");
}

void Training::count(const NetworkOutput& out, const at::Tensor& labels, const at::Tensor& loss) {
  const at::Tensor correct = out.logits.detach().argmax(1).eq(labels).sum();
  const at::Tensor numbers = at::stack({loss.to(at::kDouble), correct.to(at::kDouble)}).to(at::kCPU);
  const auto* number = numbers.const_data_ptr<double>();
  check_finite(number[0]);
  position_.loss_sum += number[0];
  position_.correct += int64_t(number[1]);
  position_.pictures += labels.size(0);
  routing_->add(out);
  ++position_.batch;
}

bool Training::validate_epoch(const std::function<bool()>& stop) {
  const double images_per_s = progress_.images_per_s();
  const double data_wait = progress_.share_of_epoch(waited_s_);
  const AveragedWeights averaged(average_.get());  // validated and kept
  const auto meter = new_meter();
  const auto validation = evaluate(*model_, dataset_, dataset_.val, layout(), meter.get(), stop, group_);
  if (!validation) return false;
  const bool is_best = validation->accuracy > position_.best_val_acc;
  if (is_best) position_.best_val_acc = validation->accuracy;
  if (is_best || config_.train.keep == WeightChoice::kLast) keep_weights();
  EpochRecord line = record(*validation, *meter);
  line.images_per_s = images_per_s;
  line.data_wait = data_wait;
  line.resources = over_all(resources_.use(), group_);
  metrics_.add(line);
  draw_history();
  progress_.epoch_done(line, is_best);
  start_next_epoch();
  keep_epoch_weights();
  return true;
}

void Training::keep_weights() {
  position_.kept_epoch = position_.epoch + 1;
  if (group_.is_first()) safetensors::write(folder_.kept_weights(), state_dict(model_->module()));
  auto* patches = std::get_if<PatchNetConfig>(&config_.model);
  if (!patches) return;
  // The weights do not hold how they are to route.
  patches->router_temp = plan_.phase.temperature;
  config_.uniform_epoch.reset();
  if (plan_.phase.uniform) config_.uniform_epoch = std::min(position_.epoch, kLastUniformEpoch);
  if (group_.is_first()) write_file_atomically(folder_.config(), to_json(config_));
}

void Training::keep_epoch_weights() const {
  const int64_t every = config_.train.keep_every;
  const int64_t epoch = position_.epoch;  // the one that has just ended
  if (!group_.is_first()) return;
  if (every == 0 || (epoch % every != 0 && !finished())) return;
  safetensors::File weights = state_dict(model_->module());
  weights.metadata["epoch"] = std::to_string(epoch);
  // How a patch network routed in this epoch: config.json says it of the kept weights only.
  if (std::holds_alternative<PatchNetConfig>(config_.model)) {
    weights.metadata["router_temp"] = nlohmann::json(plan_.phase.temperature).dump();
    weights.metadata["uniform"] = plan_.phase.uniform ? "true" : "false";
  }
  safetensors::write(folder_.epoch_weights(epoch), weights);
}

EpochRecord Training::record(const Evaluation& validation, const RoutingMeter& meter) const {
  EpochRecord record;
  record.epoch = position_.epoch + 1;
  record.train_loss = position_.loss_sum / double(position_.batch);
  record.train_acc = double(position_.correct) / double(position_.pictures);
  record.val_loss = validation.loss;
  record.val_acc = validation.accuracy;
  record.routing = routing_->record();
  record.val_routing = meter.record();
  record.learning_rate = rates_of(position_.step - 1).backbone;
  return record;
}

void Training::start_next_epoch() {
  ++position_.epoch;
  position_.batch = 0;
  position_.loss_sum = 0;
  position_.correct = 0;
  position_.pictures = 0;
  routing_ = new_meter();
}

void Training::draw_history() const {
  if (!config_.train.tensorboard || !group_.is_first()) return;
  write_event_file(folder_.events(), tensorboard_events(metrics_.lines()));
}

/// On the CPU: the runtime and other machines are compared with it.
std::string Training::write_golden() {
  move_network(model_->module(), at::kCPU);
  const std::string said = write_golden_vector(*model_, config_, folder_.golden());
  move_network(model_->module(), device_);
  return said;
}

void Training::test_kept_weights() {
  if (group_.is_first()) {
    load_state_dict(model_->module(), safetensors::read(folder_.kept_weights()), folder_.kept_weights());
  }
  share_tensors(group_, model_->module().parameters());
  share_tensors(group_, model_->module().buffers());
  if (const auto* patches = std::get_if<PatchNetConfig>(&config_.model)) {
    model_->set_phase({/*uniform=*/false, patches->router_temp, /*noise_level=*/0}, {});
  }
  const auto meter = new_meter();
  const Evaluation test = *evaluate(*model_, dataset_, dataset_.test, layout(), meter.get(), nullptr, group_);
  TestRecord line;
  line.test_loss = test.loss;
  line.test_acc = test.accuracy;
  line.tested_epoch = position_.kept_epoch;
  line.routing = meter->record();
  if (test.probs.defined()) {
    const at::Tensor means = class_expert_mean(test.probs, test.labels, num_classes(config_.model));
    for (int64_t c = 0; c < means.size(0); ++c) {
      const auto* row = means.const_data_ptr<double>() + c * means.size(1);
      line.class_expert_mean.emplace_back(row, row + means.size(1));
    }
  }
  if (!group_.is_first()) return;
  const std::string golden = write_golden();
  metrics_.add(line);  // last, for it says that the run is complete
  draw_history();
  char text[96];
  std::snprintf(text, sizeof(text), "test loss %.4f  acc %.2f %%  (weights of epoch %ld)", test.loss,
                100 * test.accuracy, long(position_.kept_epoch));
  progress_.say(text);
  progress_.say(golden);
  progress_.say(describe_resources(metrics_.epochs()));
}

}  // namespace moefb::trainer
