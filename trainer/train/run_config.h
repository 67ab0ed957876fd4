// A training run's whole configuration: the TOML file that starts it, and the config.json it leaves.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "trainer/data/dataset.h"
#include "trainer/models/network_config.h"
#include "trainer/train/train_config.h"

namespace moefb::trainer {

/// The published routers deal tokens out in turn up to this epoch, from 0: the converter refuses weights that are not
/// older (design.md, section 9).
inline constexpr int64_t kLastUniformEpoch = 9;

struct RunConfig {
  NetworkConfig model;
  TrainConfig train;
  DataConfig data;                       ///< with the picture rule, mean and std, which stand at top level in the file
  std::vector<std::string> class_names;  ///< these three are the data set's: resolve() fills or checks them
  std::vector<double> mean;
  std::vector<double> stddev;
  /// Patch networks: the weights are of this epoch (from 0) of the uniform phase, in which nobody has learnt to route;
  /// the converter refuses them. None: they route.
  std::optional<int64_t> uniform_epoch;
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
