// Passes over test pictures that only watch the routers.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "trainer/analysis/routing_recorder.h"
#include "trainer/analysis/watch.h"
#include "trainer/train/trained_run.h"

namespace moefb::trainer {

/// In f32 and evaluation mode, batches as in training: where the pictures of a batch compete for capacity, they are as
/// many as there.
/// @param pictures  indices of the test set, in the order of the pass
/// @param watch     told how many pictures are done
/// @return nothing if it was stopped
std::optional<RoutingRecorder> record_routing(const TrainedRun& run, Network& network,
                                              const std::vector<int64_t>& pictures, const Watch& watch);

/// First choices of the network with other weights of the same run, layer by layer.
/// @param file  in the run's folder
/// @throws std::runtime_error that names the file: not the weights of this network
/// @return nothing if it was stopped
std::optional<std::vector<LayerChoices>> choices_with(const TrainedRun& run, const std::string& file,
                                                      const std::vector<int64_t>& pictures, const Watch& watch);

/// Share of the tokens whose first choice is the same, layer by layer.
struct Stability {
  int64_t layer = -1;
  double same = 0;
};
std::vector<Stability> stability(const std::vector<LayerChoices>& before, const std::vector<LayerChoices>& after);

}  // namespace moefb::trainer
