// Models made by running `convert` on golden fixtures, and inputs for them.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "converter/safetensors.h"
#include "converter/temporary_folder.h"

namespace moefb::testing {

// One fixture for each thing a model can take.
inline constexpr const char* kPictureFixture = "seed1_e2e_sparse";  // (3, 32, 32), 10 classes, 2 of 8 experts
inline constexpr const char* kFeatureFixture = "seed1_head_sparse_nodropout_keys";  // (48), 7 classes, 2 of 5 experts
inline constexpr const char* kMapFixture = "seed2_layer";            // (8, 16, 16), 20 classes, 4 experts
inline constexpr const char* kPatchFixture = "seed2_net_tiny_ckpt";  // (3, 64, 64), 12 classes, 4 experts

/// A converted fixture in a folder of its own, where the test may put more.
class FixtureModel {
 public:
  /// @param overrides  replaces keys of the fixture's config.json
  explicit FixtureModel(const std::string& fixture, const nlohmann::json& overrides = nlohmann::json::object());

  std::string file() const { return folder_ / "model.moefb"; }
  std::string path(const std::string& name) const { return folder_ / name; }
  /// A tensor of the fixture's io.safetensors: "input", "logits", "probs", ...
  const safetensors::Tensor& stored(const std::string& name) const { return io_.tensors.at(name); }
  /// Writes a file whose tensor `input` is the given one. @return its path
  std::string write_input(const safetensors::Tensor& input) const;
  /// Writes a picture of width x height pixels that `seed` draws. @return its path
  std::string write_picture(const std::string& name, int width, int height, unsigned seed = 1) const;
  /// @return its path
  std::string write_text(const std::string& name, const std::string& text) const;

 private:
  TemporaryFolder folder_;
  safetensors::File io_;
};

}  // namespace moefb::testing
