// What a model is: the model keys of config.json under their own names (design.md, section 9). Defaults are those of
// the published runs (spec/cifar-heads.md, section 9).
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "trainer/models/settings.h"

namespace moefb::trainer {

enum class HeadKind : uint8_t { kDense, kSoft, kSparse };  ///< hard is sparse with k = 1
enum class MaskRule : uint8_t {
  kThreshold,  ///< as published: every score equal to the k-th one keeps its probability
  kIndex,      ///< the k selected experts alone
};
enum class CombineWeight : uint8_t {
  kPublished,  ///< softmax over the selected scores: always 1 when k = 1, so that the gate learns nothing
  kGate,       ///< k = 1 only: softmax over all scores, taken at the selected expert
};
enum class LoadEstimator : uint8_t {
  kMass,    ///< as published: the gate mass, which importance measures already
  kSmooth,  ///< in training: the pictures each expert would get if its noise were drawn again; k < num_experts
};

struct ModelConfig {
  std::string kind = "cifar_e2e";
  HeadKind head = HeadKind::kSparse;
  int64_t num_classes = 0;  ///< 0: the data set's
  int64_t image = 32;       ///< side of the input pictures
  int64_t width0 = 64;      ///< channels of the backbone's first stage
  int64_t in_dim = 512;     ///< features the head takes: 8 * width0 behind a backbone
  int64_t width = 512;      ///< hidden width of the dense head
  int64_t num_experts = 8;
  double hidden_mult = 0.125;  ///< an expert's hidden width over in_dim
  int64_t k = 2;
  double temperature = 1.0;
  double dropout_p = 0.1;  ///< in the experts; 0 also changes their key names (spec, section 4)
  /// Absent keys mean dropout_p. A given 0 is 0, unlike in the published code, where it falls back (spec 13, flaw 8).
  double gate_input_dropout = 0.1;
  double gate_logits_dropout = 0.1;
  double importance_coef = 0.2;  ///< sparse
  double load_coef = 0.2;        ///< sparse
  LoadEstimator load_estimator = LoadEstimator::kMass;
  double kl_coef = 0.2;  ///< soft: balance loss; 0 is off
  MaskRule mask_rule = MaskRule::kThreshold;
  CombineWeight combine_weight = CombineWeight::kPublished;

  /// Hidden width of one expert, truncated as published.
  int64_t hidden() const { return int64_t(hidden_mult * double(in_dim)); }
};

/// Reads the model keys; others are left for the caller. @throws std::runtime_error as Settings does, also for values
/// that contradict each other
ModelConfig read_model_config(Settings& settings);

/// Writes those keys that the head uses, hard as sparse with k = 1.
void write_model_config(const ModelConfig& config, nlohmann::ordered_json& json);

}  // namespace moefb::trainer
