#include "trainer/train/run_config.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <thread>

#include "converter/atomic_file.h"
#include "converter/strict_json.h"
#include "trainer/train/config_file.h"

namespace moefb::trainer {
namespace {

const std::vector<std::string> kSchedules = {"step", "cosine", "linear"};
const std::vector<std::string> kPrecisions = {"auto", "f32", "bf16"};
const std::vector<std::string> kWeightChoices = {"best", "last"};
const std::vector<std::string> kResizeRules = {"shorter_side", "stretch"};
const std::vector<std::string> kFilters = {"bilinear", "bicubic"};
const std::vector<std::string> kUnreadable = {"refuse", "skip"};

constexpr int64_t kMaxCount = int64_t{1} << 40;
constexpr int64_t kMaxEpochs = 1'000'000;

ScheduleConfig read_schedule(Settings& train) {
  ScheduleConfig config;
  config.kind = Schedule(train.choice("schedule", size_t(config.kind), kSchedules));
  config.learning_rate = train.number("learning_rate", config.learning_rate, 0, 1e3);
  config.epochs = train.integer("epochs", config.epochs, 1, kMaxEpochs);
  // May exceed the epochs, as may small_image_epochs: `--set train.epochs=3` should shorten any run.
  config.warmup_epochs = train.integer("warmup_epochs", config.warmup_epochs, 0, kMaxEpochs);
  config.milestones = train.integers("milestones", config.milestones);
  config.gamma = train.number("gamma", config.gamma, 0, 1);
  return config;
}

AugmentConfig read_augment(Settings& train, int64_t image) {
  AugmentConfig config;
  // Reflection needs more pixels than it adds.
  config.crop_padding = int(train.integer("crop_padding", config.crop_padding, 0, image - 1));
  config.reflect = train.boolean("crop_reflect", config.reflect);
  config.flip = train.boolean("flip", config.flip);
  config.flip_alternates = train.boolean("flip_alternates", config.flip_alternates);
  return config;
}

TrainConfig read_train(Settings train, int64_t image) {
  TrainConfig config;
  config.schedule = read_schedule(train);
  config.batch_size = train.integer("batch_size", config.batch_size, 1, 1 << 20);
  config.momentum = train.number("momentum", config.momentum, 0, 1);
  config.weight_decay = train.number("weight_decay", config.weight_decay, 0, 1e3);
  config.nesterov = train.boolean("nesterov", config.nesterov);
  config.label_smoothing = train.number("label_smoothing", config.label_smoothing, 0, 1);
  config.seed = uint64_t(train.integer("seed", int64_t(config.seed), 0, INT64_MAX));
  config.augment = read_augment(train, image);
  config.small_image = train.integer("small_image", config.small_image, 0, image);
  config.small_image_epochs = train.integer("small_image_epochs", config.small_image_epochs, 0, kMaxEpochs);
  config.keep = WeightChoice(train.choice("keep", size_t(config.keep), kWeightChoices));
  config.precision = PrecisionChoice(train.choice("precision", size_t(config.precision), kPrecisions));
  if (train.has("channels_last")) config.channels_last = train.boolean("channels_last", false);
  config.threads = train.integer("threads", config.threads, 0, 1024);
  train.finish();
  return config;
}

DataConfig read_data(Settings data, int64_t image) {
  DataConfig config;
  config.image = int(image);
  config.name = data.text("name", config.name);
  config.path = data.text("path", config.path);
  config.seed = uint64_t(data.integer("seed", int64_t(config.seed), 0, INT64_MAX));
  config.train_size = data.integer("train_size", config.train_size, 0, kMaxCount);
  config.val_size = data.integer("val_size", config.val_size, 0, kMaxCount);
  config.test_size = data.integer("test_size", config.test_size, 0, kMaxCount);
  config.skip_unreadable = data.choice("unreadable", 0, kUnreadable) == 1;
  data.finish();
  return config;
}

PictureRule read_picture_rule(Settings& settings, int64_t image) {
  PictureRule rule;
  rule.resize = ResizeRule(settings.choice("resize", 0, kResizeRules));
  rule.resize_to = int(settings.integer("resize_to", image, image, 1 << 14));
  rule.filter = Filter(settings.choice("filter", 0, kFilters));
  return rule;
}

/// Three numbers, one a channel; nothing where the key is absent.
std::optional<std::array<float, 3>> read_channels(Settings& settings, const std::string& key, double min) {
  if (!settings.has(key)) return std::nullopt;
  const std::vector<double> values = settings.numbers(key, {});
  const auto fits = [min](double value) { return value >= min && value <= 1; };
  if (values.size() != 3 || !std::all_of(values.begin(), values.end(), fits)) {
    settings.fail(key, min > 0 ? "expected three numbers above 0, at most 1" : "expected three numbers from 0 to 1");
  }
  return std::array{float(values[0]), float(values[1]), float(values[2])};
}

// Decimal digits of the float, not those of the double it was widened to: 0.4914, not 0.4913999915122986.
std::vector<double> as_written(std::span<const float> values) {
  std::vector<double> out;
  for (const float value : values) {
    char text[32];
    *std::to_chars(text, text + sizeof(text) - 1, value).ptr = 0;
    out.push_back(std::strtod(text, nullptr));
  }
  return out;
}

/// Takes what the data set has, or checks that the configuration says the same.
template <typename T>
void settle(T& configured, const T& found, const std::string& key, const std::string& data_set) {
  if (configured == T{}) configured = found;
  if (configured == found) return;
  throw std::runtime_error(key + ": configured as " + nlohmann::json(configured).dump() + ", but the data set " +
                           data_set + " has " + nlohmann::json(found).dump());
}

nlohmann::ordered_json train_json(const TrainConfig& train) {
  const ScheduleConfig& schedule = train.schedule;
  return {
      {"epochs", schedule.epochs},
      {"batch_size", train.batch_size},
      {"schedule", kSchedules[size_t(schedule.kind)]},
      {"learning_rate", schedule.learning_rate},
      {"warmup_epochs", schedule.warmup_epochs},
      {"milestones", schedule.milestones},
      {"gamma", schedule.gamma},
      {"momentum", train.momentum},
      {"nesterov", train.nesterov},
      {"weight_decay", train.weight_decay},
      {"label_smoothing", train.label_smoothing},
      {"seed", train.seed},
      {"crop_padding", train.augment.crop_padding},
      {"crop_reflect", train.augment.reflect},
      {"flip", train.augment.flip},
      {"flip_alternates", train.augment.flip_alternates},
      {"small_image", train.small_image},
      {"small_image_epochs", train.small_image_epochs},
      {"keep", kWeightChoices[size_t(train.keep)]},
      {"precision", kPrecisions[size_t(train.precision)]},
      {"channels_last", train.channels_last.value()},
      {"threads", train.threads},
  };
}

nlohmann::ordered_json data_json(const DataConfig& data) {
  return {
      {"name", data.name},
      {"path", data.path},
      {"seed", data.seed},
      {"train_size", data.train_size},
      {"val_size", data.val_size},
      {"test_size", data.test_size},
      {"unreadable", kUnreadable[data.skip_unreadable ? 1 : 0]},
  };
}

// JSON is UTF-8, and the names of folders may be anything.
void check_class_names(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    try {
      (void)nlohmann::json(name).dump();
    } catch (const nlohmann::json::exception&) {
      throw std::runtime_error("class_names: expected UTF-8, found \"" + name + "\"");
    }
  }
}

}  // namespace

RunConfig parse_run_config(const nlohmann::json& json, const std::string& source) {
  Settings settings(json, source);
  RunConfig config;
  config.model = read_model_config(settings);
  if (config.model.kind != "cifar_e2e") {
    settings.fail("kind", "the trainer trains cifar_e2e, found \"" + config.model.kind + "\"");
  }
  config.class_names = settings.texts("class_names");
  config.train = read_train(settings.object("train"), config.model.image);
  config.data = read_data(settings.object("data"), config.model.image);
  config.data.picture = read_picture_rule(settings, config.model.image);
  config.data.mean = read_channels(settings, "mean", 0);
  config.data.stddev = read_channels(settings, "std", 1e-6);
  if (config.data.mean) config.mean = as_written(*config.data.mean);
  if (config.data.stddev) config.stddev = as_written(*config.data.stddev);
  settings.finish();
  return config;
}

RunConfig load_toml_config(const std::string& path, const std::vector<std::string>& sets) {
  return parse_run_config(read_toml(path, sets), path);
}

RunConfig load_run_config(const std::string& path) {
  const std::vector<std::byte> bytes = read_file(path);
  const auto* text = reinterpret_cast<const char*>(bytes.data());
  return parse_run_config(parse_json_object({text, bytes.size()}, path), path);
}

void resolve(RunConfig& config, const Dataset& dataset) {
  if (config.train.precision == PrecisionChoice::kAuto) {
    config.train.precision = __builtin_cpu_supports("avx512bf16") ? PrecisionChoice::kBf16 : PrecisionChoice::kF32;
  }
  if (!config.train.channels_last) config.train.channels_last = config.train.precision == PrecisionChoice::kF32;
  if (config.train.threads == 0) config.train.threads = std::max(1u, std::thread::hardware_concurrency());
  check_class_names(dataset.class_names);
  settle(config.model.num_classes, int64_t(dataset.class_names.size()), "num_classes", dataset.name);
  settle(config.class_names, dataset.class_names, "class_names", dataset.name);
  settle(config.mean, as_written(dataset.mean), "mean", dataset.name);
  settle(config.stddev, as_written(dataset.stddev), "std", dataset.name);
}

std::string to_json(const RunConfig& config) {
  nlohmann::ordered_json json;
  write_model_config(config.model, json);
  json["class_names"] = config.class_names;
  json["mean"] = config.mean;
  json["std"] = config.stddev;
  json["resize"] = kResizeRules[size_t(config.data.picture.resize)];
  json["resize_to"] = config.data.picture.resize_to;
  json["filter"] = kFilters[size_t(config.data.picture.filter)];
  json["train"] = train_json(config.train);
  json["data"] = data_json(config.data);
  return json.dump(2) + "\n";
}

}  // namespace moefb::trainer
