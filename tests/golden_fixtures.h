// The golden fixtures: where they lie and what they hold. Shared by golden_runtime_test and golden_trainer_test.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "converter/safetensors.h"

namespace moefb::golden {

struct Fixture {
  std::string name;  ///< of its folder
  std::string folder;
  nlohmann::json config;

  std::string kind() const { return config.value("kind", ""); }
  std::string state_dict() const { return folder + "/state_dict.safetensors"; }
  bool has_state_dict() const;
  safetensors::File io() const { return safetensors::read(folder + "/io.safetensors"); }
};

/// Every fixture of the folder that MOEFB_GOLDEN names; without it, of tests/data/golden and, where it is, of the
/// larger collection beside the repository. One of each name, sorted.
std::vector<Fixture> all_fixtures();

/// A GoogleTest parameter name: letters, digits and underscores.
std::string test_name(const Fixture& fixture);

}  // namespace moefb::golden
