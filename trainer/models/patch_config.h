// What a patch network is: its model keys of config.json under their own names (design.md, section 9). Defaults are the
// published network (spec/patch-moe.md, section 1).
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "trainer/models/model_config.h"
#include "trainer/models/settings.h"

namespace moefb::trainer {

/// Which tokens share the slots of an expert, in training and evaluation.
enum class CapacityGroup : uint8_t {
  kBatch,  ///< as published: an image's answer depends on its batch
  kImage,
  kNone,  ///< every expert has room for all
};

/// What becomes of a token whose expert is full.
enum class DropPolicy : uint8_t {
  kResidual,      ///< as published: no expert sees it
  kSecondChoice,  ///< after all first choices it takes its most probable expert with room
};

struct RouterOptions {
  double capacity_factor_train = 2.0;
  double capacity_factor_val = 2.0;
  CapacityGroup capacity_group = CapacityGroup::kBatch;
  DropPolicy drop_policy = DropPolicy::kResidual;
  /// published: a kept token's weight is 1, and only its slope knows the probability; gate: the probability itself
  CombineWeight combine_weight = CombineWeight::kPublished;
};

struct PatchNetConfig {
  int64_t num_classes = 0;  ///< 0: the data set's
  int64_t image_height = 224;
  int64_t image_width = 224;
  int64_t base_channels = 64;
  int64_t layer_number = 8;
  int64_t num_experts = 4;
  int64_t patch_size = 16;     ///< side of the first layer's patches; halved by every down-sampling block
  double router_temp = 2.0;    ///< in force until a schedule sets another
  bool identity_stem = false;  ///< the input is a map of base_channels channels
  bool crop_padding = false;   ///< cut off what patches added to a map that they do not divide; published: never
  std::vector<int64_t> expert_kernel;  ///< 1 or 3, one for each MoE layer
  std::vector<int64_t> post_kernel;    ///< likewise
  RouterOptions router;

  /// Layers 2, 4 and 6 are down-sampling blocks, all others MoE layers.
  static bool is_moe(int64_t layer) { return layer != 2 && layer != 4 && layer != 6; }
  int64_t moe_layers() const;

  /// With 3x3 kernels in all MoE layers.
  PatchNetConfig() { use_kernels(3, 3); }
  /// The same kernel sides in every MoE layer there is now.
  void use_kernels(int64_t expert, int64_t post);
};

/// Reads the model keys; `kind` and others are left for the caller. @throws std::runtime_error as Settings does, also
/// for values that contradict each other
PatchNetConfig read_patch_config(Settings& settings);

/// Writes all keys, `kind` included; kernel sides only where not all are 3.
void write_patch_config(const PatchNetConfig& config, nlohmann::ordered_json& json);

}  // namespace moefb::trainer
