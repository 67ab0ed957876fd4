// A training run's whole configuration: the TOML file that starts it, and the config.json it leaves.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "trainer/data/augment.h"
#include "trainer/data/dataset.h"
#include "trainer/models/model_config.h"
#include "trainer/train/schedule.h"

namespace moefb::trainer {

enum class PrecisionChoice : uint8_t {
  kAuto,  ///< bf16 where the CPU computes in it (AVX-512 BF16), f32 elsewhere: emulated bf16 is ten times slower
  kF32,
  kBf16,
};

/// Which epoch's weights a run leaves in model.safetensors.
enum class WeightChoice : uint8_t {
  kBest,  ///< the first with the highest validation accuracy, as published
  kLast,  ///< the last epoch's: validation selects nothing
};

/// The [train] table. Defaults are the published recipe.
struct TrainConfig {
  int64_t batch_size = 128;
  ScheduleConfig schedule;  ///< keys schedule, learning_rate, epochs, warmup_epochs, milestones, gamma
  double momentum = 0.9;
  double weight_decay = 5e-4;
  bool nesterov = false;
  double label_smoothing = 0;
  uint64_t seed = 42;       ///< of weights, order, augmentation, dropout and gate noise
  AugmentConfig augment;    ///< keys crop_padding, crop_reflect, flip, flip_alternates
  int64_t small_image = 0;  ///< side of the pictures in the first `small_image_epochs` epochs; 0: the model's
  int64_t small_image_epochs = 0;
  WeightChoice keep = WeightChoice::kBest;
  PrecisionChoice precision = PrecisionChoice::kAuto;
  /// Not given: for f32 only. With bf16 it makes networks of some widths ten times slower (seen at 8 and 32).
  std::optional<bool> channels_last;
  int64_t threads = 0;  ///< 0: one per core. Results depend on it, so the run stores the number
};

struct RunConfig {
  ModelConfig model;
  TrainConfig train;
  DataConfig data;                       ///< with the picture rule, mean and std, which stand at top level in the file
  std::vector<std::string> class_names;  ///< these three are the data set's: resolve() fills or checks them
  std::vector<double> mean;
  std::vector<double> stddev;
};

/// Reads a TOML file. @param sets  "key=value" or "table.key=value", which replace what the file says
/// @throws std::runtime_error that names file and key: syntax, unknown keys, values out of range
RunConfig load_toml_config(const std::string& path, const std::vector<std::string>& sets);

/// Reads the config.json of a run folder. @throws like load_toml_config
RunConfig load_run_config(const std::string& path);

/// The same from the content of a file. @param source  the file, for messages
RunConfig parse_run_config(const nlohmann::json& json, const std::string& source);

/// Settles what depends on machine and data: precision, memory format, threads, class count, names, mean, std.
/// @throws std::runtime_error where the configuration names something else than the data set has
void resolve(RunConfig& config, const Dataset& dataset);

/// The text of config.json.
std::string to_json(const RunConfig& config);

}  // namespace moefb::trainer
