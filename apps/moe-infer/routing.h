// What the routers of a model decided in an Executor's last run, for one image.
#pragma once

#include <cstdint>
#include <vector>

#include "moefb/executor.h"

namespace moefb::infer {

struct ExpertShare {
  int expert = 0;
  float weight = 0;  ///< of its answer in the sum
};

struct LayerLoad {
  int layer = 0;                ///< as published
  int64_t capacity = 0;         ///< slots of each expert
  std::vector<int64_t> tokens;  ///< kept by each expert
  int64_t dropped = 0;
};

struct Routing {
  std::vector<ExpertShare> experts;  ///< of a head, best first; empty for a dense one
  std::vector<LayerLoad> layers;     ///< of a patch network
};

/// @param executor  has run one image under Trace::kRouting or kAll
Routing read_routing(const Executor& executor);

}  // namespace moefb::infer
