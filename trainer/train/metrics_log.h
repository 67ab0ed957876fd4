// metrics.jsonl: one line an epoch, then one for the test set, under the published names (spec/cifar-heads.md, 12.1;
// spec/patch-moe.md, section 10): the lines' `util` form the history `util_per_epoch`, and so on.
#pragma once

#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "trainer/train/resources.h"

namespace moefb::trainer {

/// What RoutingMeter::record() says of a pass; each of its keys becomes one of the line.
using RoutingRecord = nlohmann::ordered_json;

struct EpochRecord {
  int64_t epoch = 0;  ///< from 1
  double train_loss = 0;
  double train_acc = 0;
  double val_loss = 0;
  double val_acc = 0;
  RoutingRecord routing;      ///< of the training pass, with noise and dropout
  RoutingRecord val_routing;  ///< of the validation, without (spec 13, flaw 10)
  double learning_rate = 0;   ///< of the epoch's last step
  double images_per_s = 0;
  double data_wait = 0;   ///< share of the training pass that waited for pictures
  ResourceUse resources;  ///< of training and validation
};

/// Keys of a line that say how the machine fared: two runs with equal bits differ in them.
inline constexpr std::array kMachineKeys = {"images_per_s", "data_wait",       "seconds",  "cpu_seconds",
                                            "peak_rss_mib", "peak_device_mib", "unix_time"};

struct TestRecord {
  double test_loss = 0;
  double test_acc = 0;
  int64_t tested_epoch = 0;  ///< whose weights were tested
  RoutingRecord routing;
  std::vector<std::vector<double>> class_expert_mean;  ///< (classes, E)
};

/// The lines of a metrics.jsonl; none where there is no file. @throws std::runtime_error  a line is no JSON object
std::vector<nlohmann::ordered_json> read_metrics(const std::string& path);

/// Whether a run's test, the last thing it does, is in its metrics.jsonl.
bool is_tested(const std::string& path);

/// The file is rewritten whole with each line, so that a crash leaves complete lines only.
class MetricsLog {
 public:
  /// @param keep    lines of an existing file to go on after
  /// @param writes  whether there is to be a file; else the lines are only kept in memory
  /// @throws std::runtime_error if it has fewer
  MetricsLog(std::string path, int64_t keep, bool writes = true);

  void add(const EpochRecord& record);
  void add(const TestRecord& record);

  std::vector<nlohmann::ordered_json> lines() const;
  /// Those of the epochs, in order.
  std::vector<nlohmann::ordered_json> epochs() const;

 private:
  void append(const std::string& line);

  std::string path_;
  bool writes_;
  std::string text_;
};

}  // namespace moefb::trainer
