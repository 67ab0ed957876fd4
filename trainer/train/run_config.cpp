#include "trainer/train/run_config.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <thread>

#include "converter/atomic_file.h"
#include "converter/strict_json.h"
#include "trainer/models/device.h"
#include "trainer/train/config_file.h"

namespace moefb::trainer {
namespace {

const std::vector<std::string> kResizeRules = {"shorter_side", "stretch"};
const std::vector<std::string> kFilters = {"bilinear", "bicubic"};
const std::vector<std::string> kUnreadable = {"refuse", "skip"};

constexpr int64_t kMaxCount = int64_t{1} << 40;

DataConfig read_data(Settings data, int64_t image) {
  DataConfig config;
  config.image = int(image);
  config.name = data.text("name", config.name);
  config.path = data.text("path", config.path);
  config.seed = uint64_t(data.integer("seed", int64_t(config.seed), 0, INT64_MAX));
  config.train_size = data.integer("train_size", config.train_size, 0, kMaxCount);
  config.val_size = data.integer("val_size", config.val_size, 0, kMaxCount);
  config.test_size = data.integer("test_size", config.test_size, 0, kMaxCount);
  config.classes = data.texts("classes");
  config.stream = data.boolean("stream", config.stream);
  config.skip_unreadable = data.choice("unreadable", 0, kUnreadable) == 1;
  data.finish();
  return config;
}

/// Absent keys mean what is published for the family: heads see the whole picture, patch networks and their dense
/// comparison seven eighths of it.
PictureRule read_picture_rule(Settings& settings, const NetworkConfig& network, int64_t image) {
  const bool heads = std::holds_alternative<ModelConfig>(network);
  PictureRule rule;
  rule.resize = ResizeRule(settings.choice("resize", 0, kResizeRules));
  const int64_t published = heads ? image : std::lround(double(image) * 256 / 224);
  rule.resize_to = int(settings.integer("resize_to", published, image, 1 << 14));
  rule.filter = Filter(settings.choice("filter", size_t(heads ? Filter::kBilinear : Filter::kBicubic), kFilters));
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

nlohmann::ordered_json data_json(const DataConfig& data) {
  return {
      {"name", data.name},
      {"path", data.path},
      {"seed", data.seed},
      {"train_size", data.train_size},
      {"val_size", data.val_size},
      {"test_size", data.test_size},
      {"classes", data.classes},
      {"stream", data.stream},
      {"unreadable", kUnreadable[data.skip_unreadable ? 1 : 0]},
  };
}

void settle_machine(RunConfig& config) {
  TrainConfig& train = config.train;
  const bool patches = std::holds_alternative<PatchNetConfig>(config.model);
  if (train.precision == PrecisionChoice::kAuto) {
    const bool bf16 = !patches && computes_in_bf16(train.device);
    train.precision = bf16 ? PrecisionChoice::kBf16 : PrecisionChoice::kF32;
  }
  // A patch network cuts its maps up anyway: NCHW is a quarter faster there.
  const bool faster_so = train.device != "cpu" || train.precision == PrecisionChoice::kF32;
  if (!train.channels_last) train.channels_last = faster_so && !patches;
  if (train.threads == 0) train.threads = std::max(1u, std::thread::hardware_concurrency());
}

// Its official validation pictures are the test set too, unless some of the training pictures are held back.
void check_selection(const RunConfig& config, const std::string& path) {
  const bool shared = config.data.name == "tiny-imagenet" && config.data.val_size == 0;
  if (!shared || config.train.keep != WeightChoice::kBest) return;
  throw std::runtime_error(path +
                           ": train.keep = \"best\" would select weights on the test set of tiny-imagenet: expected "
                           "\"last\", or data.val_size above 0");
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
  config.model = read_network_config(settings);
  const int64_t image = image_side(config.model);
  config.class_names = settings.texts("class_names");
  if (settings.has("current_epoch")) {
    config.uniform_epoch = settings.integer("current_epoch", 0, 0, kLastUniformEpoch);
  }
  config.train = read_train_config(settings.object("train"), config.model);
  config.data = read_data(settings.object("data"), image);
  config.data.picture = read_picture_rule(settings, config.model, image);
  config.data.stream = config.data.stream || config.train.augment.needs_own_size();
  config.data.mean = read_channels(settings, "mean", 0);
  config.data.stddev = read_channels(settings, "std", 1e-6);
  if (config.data.mean) config.mean = as_written(*config.data.mean);
  if (config.data.stddev) config.stddev = as_written(*config.data.stddev);
  settings.finish();
  return config;
}

RunConfig load_toml_config(const std::string& path, const std::vector<std::string>& sets) {
  const nlohmann::json json = read_toml(path, sets);
  if (json.contains("router_temp")) {
    throw std::runtime_error(path +
                             ": router_temp: the schedule sets it; train.temperature_initial and "
                             "train.temperature_final are its bounds");
  }
  if (json.contains(nlohmann::json::json_pointer("/train/cores_shared_by"))) {
    throw std::runtime_error(path + ": train.cores_shared_by: the run sets it; train.threads = 0 shares the cores");
  }
  RunConfig config = parse_run_config(json, path);
  check_selection(config, path);
  return config;
}

RunConfig load_run_config(const std::string& path) {
  const std::vector<std::byte> bytes = read_file(path);
  const auto* text = reinterpret_cast<const char*>(bytes.data());
  return parse_run_config(parse_json_object({text, bytes.size()}, path), path);
}

void resolve(RunConfig& config, const Dataset& dataset) {
  settle_machine(config);
  check_class_names(dataset.class_names);
  settle(num_classes(config.model), int64_t(dataset.class_names.size()), "num_classes", dataset.name);
  settle(config.class_names, dataset.class_names, "class_names", dataset.name);
  settle(config.mean, as_written(dataset.mean), "mean", dataset.name);
  settle(config.stddev, as_written(dataset.stddev), "std", dataset.name);
}

std::string to_json(const RunConfig& config) {
  nlohmann::ordered_json json;
  write_network_config(config.model, json);
  if (config.uniform_epoch) json["current_epoch"] = *config.uniform_epoch;
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
