// Configurations of every family, and what the tests of the builders look up in a graph.
#pragma once

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include "converter/build_model.h"
#include "converter/synthetic_weights.h"
#include "converter/temporary_folder.h"

namespace moefb::convert {

using testing::contains;
using testing::message_of;
using testing::SyntheticWeights;

inline Config make_config(Kind kind) {
  Config config;
  config.path = "c.json";
  config.kind = kind;
  return config;
}

inline Config head_config(Head head) {
  Config config = make_config(Kind::kCifarHead);
  config.head = head;
  config.temperature = 1.5;
  config.k = 2;
  return config;
}

inline Config e2e_config(int64_t image = 32) {
  Config config = head_config(Head::kDense);
  config.kind = Kind::kCifarE2e;
  config.image = ImageSize{image, image};
  return config;
}

inline Config patch_config(int64_t image, int64_t patch) {
  Config config = make_config(Kind::kPatchNet);
  config.image = ImageSize{image, image};
  config.patch_size = patch;
  config.router_temp = 0.85;
  config.capacity_factor_val = 1.25;
  return config;
}

inline BuiltModel build(const Config& config, const SyntheticWeights& weights, WeightDtype dtype = WeightDtype::kF32) {
  StateDict dict(weights.file, "w.safetensors");
  return build_model(config, dict, dtype);
}

inline std::string refusal(const Config& config, const SyntheticWeights& weights) {
  return message_of([&] { build(config, weights); });
}

inline const fb::MoET& last_moe(const fb::ModelT& graph) {
  const auto found =
      std::find_if(graph.stages.rbegin(), graph.stages.rend(), [](const auto& stage) { return stage->moe != nullptr; });
  if (found == graph.stages.rend()) throw std::runtime_error("the graph has no MoE stage");
  return *(*found)->moe;
}

inline std::vector<uint64_t> shape_named(const fb::ModelT& graph, const std::string& name) {
  for (const auto& value : graph.values) {
    if (value->name == name) return value->shape;
  }
  return {};
}

using Sizes = std::vector<uint64_t>;

}  // namespace moefb::convert
