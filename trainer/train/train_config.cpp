#include "trainer/train/train_config.h"

#include <nlohmann/json.hpp>
#include <string>

#include "trainer/train/augment_config.h"

namespace moefb::trainer {
namespace {

const std::vector<std::string> kSchedules = {"step", "cosine", "linear", "patch"};
const std::vector<std::string> kOptimizers = {"sgd", "adamw"};
const std::vector<std::string> kPrecisions = {"auto", "f32", "bf16"};
const std::vector<std::string> kWeightChoices = {"best", "last"};
const std::vector<std::string> kDispatches = {"index", "onehot"};

constexpr int64_t kMaxEpochs = 1'000'000;
constexpr double kMaxWeight = 1e6;
constexpr double kMaxDecay = 0.999999;  // an average with decay 1 would never move

TrainConfig published_adamw() {
  TrainConfig config;
  config.optimizer = OptimizerKind::kAdamW;
  config.schedule.epochs = 150;
  config.schedule.warmup_epochs = 15;
  config.weight_decay = 1e-3;
  config.mix = true;
  config.keep = WeightChoice::kLast;
  return config;
}

TrainConfig published_patch_training() {
  TrainConfig config = published_adamw();
  config.schedule.kind = Schedule::kPatch;
  config.schedule.learning_rate = 1e-3;
  config.label_smoothing = 0.1;
  config.clip_norm = 1.5;
  config.router_clip_norm = 0.5;
  return config;
}

TrainConfig published_resnet18_training() {
  TrainConfig config = published_adamw();
  config.schedule.kind = Schedule::kCosine;
  config.schedule.learning_rate = 5e-4;
  config.label_smoothing = 0.15;
  config.clip_norm = 1.0;
  config.mixing = {0.5, 0.3, 1.0};
  return config;
}

void read_schedule(Settings& train, ScheduleConfig& config, bool patches) {
  config.kind = Schedule(train.choice("schedule", size_t(config.kind), kSchedules));
  if ((config.kind == Schedule::kPatch) != patches) {
    train.fail("schedule",
               "patch is the schedule of kind patch_net, and of no other; found " + kSchedules[size_t(config.kind)]);
  }
  config.learning_rate = train.number("learning_rate", config.learning_rate, 0, 1e3);
  config.epochs = train.integer("epochs", config.epochs, 1, kMaxEpochs);
  // May exceed the epochs, as may small_image_epochs: `--set train.epochs=3` should shorten any run.
  config.warmup_epochs = train.integer("warmup_epochs", config.warmup_epochs, 0, kMaxEpochs);
  config.milestones = train.integers("milestones", config.milestones);
  config.gamma = train.number("gamma", config.gamma, 0, 1);
}

void read_patch_recipe(Settings& train, const ScheduleConfig& schedule, PatchRecipe& recipe) {
  recipe.epochs = schedule.epochs;
  recipe.learning_rate = schedule.learning_rate;
  recipe.warmup_epochs = schedule.warmup_epochs;
  recipe.router_learning_rate = train.number("router_learning_rate", schedule.learning_rate, 0, 1e3);
  recipe.uniform_epochs = train.integer("uniform_epochs", recipe.uniform_epochs, 0, kMaxEpochs);
  recipe.router_warmup_epochs = train.integer("router_warmup_epochs", recipe.router_warmup_epochs, 0, kMaxEpochs);
  recipe.balance_initial = train.number("balance_initial", recipe.balance_initial, 0, kMaxWeight);
  recipe.balance_final = train.number("balance_final", recipe.balance_final, 0, kMaxWeight);
  recipe.z_weight = train.number("z_weight", recipe.z_weight, 0, kMaxWeight);
  recipe.diversity_weight = train.number("diversity_weight", recipe.diversity_weight, 0, kMaxWeight);
  recipe.noise = train.number("noise", recipe.noise, 0, 1e3);
  recipe.temperature_initial = train.number("temperature_initial", recipe.temperature_initial, 1e-6, 1e6);
  recipe.temperature_final = train.number("temperature_final", recipe.temperature_final, 1e-6, 1e6);
  recipe.temperature_epochs = train.integer("temperature_epochs", recipe.temperature_epochs, 0, kMaxEpochs);
  recipe.router_temp = recipe.temperature_initial;
}

void read_optimizer(Settings& train, TrainConfig& config) {
  config.optimizer = OptimizerKind(train.choice("optimizer", size_t(config.optimizer), kOptimizers));
  config.momentum = train.number("momentum", config.momentum, 0, 1);
  config.nesterov = train.boolean("nesterov", config.nesterov);
  config.weight_decay = train.number("weight_decay", config.weight_decay, 0, 1e3);
  config.ema = train.number("ema", config.ema, 0, kMaxDecay);
  config.clip_norm = train.number("clip_norm", config.clip_norm, 0, kMaxWeight);
  config.router_clip_norm = train.number("router_clip_norm", config.router_clip_norm, 0, kMaxWeight);
}

void read_mixing(Settings& train, TrainConfig& config) {
  config.mix = train.boolean("mix", config.mix);
  config.mixing.cutmix_probability = train.number("cutmix_probability", config.mixing.cutmix_probability, 0, 1);
  config.mixing.mixup_alpha = train.number("mixup_alpha", config.mixing.mixup_alpha, 1e-3, 1e3);
  config.mixing.cutmix_alpha = train.number("cutmix_alpha", config.mixing.cutmix_alpha, 1e-3, 1e3);
}

void read_machine(Settings& train, TrainConfig& config, bool patches) {
  config.device = device_names()[train.choice("device", 0, device_names())];
  config.precision = PrecisionChoice(train.choice("precision", size_t(config.precision), kPrecisions));
  if (patches && config.precision == PrecisionChoice::kBf16) {
    train.fail("precision", "a patch network trains in f32: bf16 would move tokens to other experts");
  }
  config.dispatch = DispatchKind(train.choice("dispatch", size_t(config.dispatch), kDispatches));
  if (train.has("channels_last")) config.channels_last = train.boolean("channels_last", false);
  config.threads = train.integer("threads", config.threads, 0, 1024);
  config.cores_shared_by = train.integer("cores_shared_by", config.cores_shared_by, 0, 1024);
  config.deterministic = train.boolean("deterministic", config.deterministic);
  config.workers = train.integer("workers", config.workers, 0, 64);
}

nlohmann::ordered_json patch_json(const PatchRecipe& recipe) {
  return {
      {"router_learning_rate", recipe.router_learning_rate},
      {"uniform_epochs", recipe.uniform_epochs},
      {"router_warmup_epochs", recipe.router_warmup_epochs},
      {"balance_initial", recipe.balance_initial},
      {"balance_final", recipe.balance_final},
      {"z_weight", recipe.z_weight},
      {"diversity_weight", recipe.diversity_weight},
      {"noise", recipe.noise},
      {"temperature_initial", recipe.temperature_initial},
      {"temperature_final", recipe.temperature_final},
      {"temperature_epochs", recipe.temperature_epochs},
  };
}

nlohmann::ordered_json schedule_json(const ScheduleConfig& schedule) {
  return {
      {"epochs", schedule.epochs},
      {"schedule", kSchedules[size_t(schedule.kind)]},
      {"learning_rate", schedule.learning_rate},
      {"warmup_epochs", schedule.warmup_epochs},
      {"milestones", schedule.milestones},
      {"gamma", schedule.gamma},
  };
}

}  // namespace

TrainConfig published_training(const NetworkConfig& network) {
  TrainConfig config;
  if (std::holds_alternative<PatchNetConfig>(network)) config = published_patch_training();
  if (std::holds_alternative<Resnet18Config>(network)) config = published_resnet18_training();
  config.augment = published_augmentation(network);
  return config;
}

TrainConfig read_train_config(Settings train, const NetworkConfig& network) {
  const bool patches = std::holds_alternative<PatchNetConfig>(network);
  const int64_t image = image_side(network);
  TrainConfig config = published_training(network);
  read_schedule(train, config.schedule, patches);
  if (patches) read_patch_recipe(train, config.schedule, config.patch);
  config.batch_size = train.integer("batch_size", config.batch_size, 1, 1 << 20);
  config.accumulate = train.integer("accumulate", config.accumulate, 1, 1 << 20);
  read_optimizer(train, config);
  config.label_smoothing = train.number("label_smoothing", config.label_smoothing, 0, 1);
  read_mixing(train, config);
  config.seed = uint64_t(train.integer("seed", int64_t(config.seed), 0, INT64_MAX));
  config.augment = read_augment_config(train, network);
  config.small_image = train.integer("small_image", config.small_image, 0, image);
  config.small_image_epochs = train.integer("small_image_epochs", config.small_image_epochs, 0, kMaxEpochs);
  if (patches && config.small_image != 0) {
    train.fail("small_image",
               "a patch network has patches of one size: expected 0, found " + std::to_string(config.small_image));
  }
  config.keep = WeightChoice(train.choice("keep", size_t(config.keep), kWeightChoices));
  config.patience.epochs = train.integer("patience", config.patience.epochs, 0, kMaxEpochs);
  config.patience.min_delta = train.number("min_delta", config.patience.min_delta, 0, 1);
  config.tensorboard = train.boolean("tensorboard", config.tensorboard);
  config.keep_every = train.integer("keep_every", config.keep_every, 0, kMaxEpochs);
  read_machine(train, config, patches);
  train.finish();
  return config;
}

at::Device take_device(TrainConfig& config, const std::string& chosen, const World& world) {
  if (chosen.empty()) return device_of("the run's train.device (--device replaces it)", config.device, world);
  config.device = chosen;
  return device_of("--device", chosen, world);
}

nlohmann::ordered_json train_json(const TrainConfig& config) {
  nlohmann::ordered_json json = schedule_json(config.schedule);
  if (config.schedule.kind == Schedule::kPatch) json.update(patch_json(config.patch));
  json["batch_size"] = config.batch_size;
  json["accumulate"] = config.accumulate;
  json["optimizer"] = kOptimizers[size_t(config.optimizer)];
  json["momentum"] = config.momentum;
  json["nesterov"] = config.nesterov;
  json["weight_decay"] = config.weight_decay;
  json["ema"] = config.ema;
  json["clip_norm"] = config.clip_norm;
  json["router_clip_norm"] = config.router_clip_norm;
  json["label_smoothing"] = config.label_smoothing;
  json["mix"] = config.mix;
  json["cutmix_probability"] = config.mixing.cutmix_probability;
  json["mixup_alpha"] = config.mixing.mixup_alpha;
  json["cutmix_alpha"] = config.mixing.cutmix_alpha;
  json["seed"] = config.seed;
  json.update(augment_json(config.augment));
  json["small_image"] = config.small_image;
  json["small_image_epochs"] = config.small_image_epochs;
  json["keep"] = kWeightChoices[size_t(config.keep)];
  json["patience"] = config.patience.epochs;
  json["min_delta"] = config.patience.min_delta;
  json["tensorboard"] = config.tensorboard;
  json["keep_every"] = config.keep_every;
  json["device"] = config.device;
  json["precision"] = kPrecisions[size_t(config.precision)];
  json["dispatch"] = kDispatches[size_t(config.dispatch)];
  json["channels_last"] = config.channels_last.value();
  json["threads"] = config.threads;
  if (config.cores_shared_by > 0) json["cores_shared_by"] = config.cores_shared_by;
  json["deterministic"] = config.deterministic;
  json["workers"] = config.workers;
  return json;
}

}  // namespace moefb::trainer
