// A run that has weights, ready to be asked: its configuration, its pictures and its network.
#pragma once

#include <memory>
#include <string>

#include "trainer/data/dataset.h"
#include "trainer/models/network.h"
#include "trainer/train/evaluate.h"
#include "trainer/train/run_config.h"
#include "trainer/train/run_folder.h"

namespace moefb::trainer {

struct TrainedRun {
  RunFolder folder;
  RunConfig config;  ///< resolved
  Dataset dataset;
  std::shared_ptr<Network> network;  ///< the kept weights, in evaluation mode; a patch network routes by `router_temp`

  /// How the trainer itself passes its pictures through the network.
  BatchLayout layout() const;
};

/// Also sets the number of LibTorch's threads to the run's.
/// @param data  the data set's folder where it is not the run's data.path; may be empty
/// @throws std::runtime_error  no run, no kept weights yet, no data set, no test pictures
TrainedRun load_trained_run(const std::string& run, const std::string& data);

}  // namespace moefb::trainer
