// What `trainer analyze RUN routing` finds, and how it is told: routing.json, and lines for a person.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "trainer/analysis/routing_pass.h"
#include "trainer/analysis/saved_weights.h"
#include "trainer/analysis/specialisation.h"

namespace moefb::trainer {

/// Two sets of weights, and how much of the routing is the same in both.
struct StabilityStep {
  SavedWeights from, to;
  std::vector<Stability> layers;
};

struct ExampleSheet {
  int64_t layer = -1;
  int64_t expert = 0;
  std::string file;      ///< under the folder of routing.json
  int64_t pictures = 0;  ///< on it
};

struct RoutingReport {
  std::string kind;  ///< "cifar_e2e", "patch_net"
  std::vector<std::string> class_names;
  std::vector<int64_t> labels;  ///< of the pictures
  std::vector<RoutedLayer> layers;
  std::vector<Specialisation> specialisation;  ///< of each layer
  nlohmann::ordered_json router;               ///< RoutingRecorder::router_metrics()
  int64_t stability_pictures = 0;
  std::vector<StabilityStep> stability;          ///< from each set of weights to the next
  std::vector<StabilityStep> stability_to_kept;  ///< from each to those kept
  std::vector<ExampleSheet> examples;

  int64_t classes() const { return int64_t(class_names.size()); }
  int64_t pictures() const { return int64_t(labels.size()); }
};

/// The content of routing.json: docs/analysis.md.
nlohmann::ordered_json to_json(const RoutingReport& report);

/// The same in short, as lines that end in a newline.
std::string describe(const RoutingReport& report);

}  // namespace moefb::trainer
