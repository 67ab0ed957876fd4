// The weights of a run as the runtime loads them: converted on the spot, nothing left behind.
#pragma once

#include <cstdint>
#include <optional>

#include "moefb/model.h"
#include "trainer/train/trained_run.h"

namespace moefb::trainer {

struct ConvertedModel {
  Model model;
  std::optional<int64_t> resident_bytes;  ///< what loading it added to the process: its weights, packed
};

/// The run's kept weights in f32. @param max_batch  pictures of a run
/// @throws std::runtime_error with what converter or runtime say
ConvertedModel convert_run(const RunFolder& folder, int max_batch);

/// The head of a classifier alone: features (D) to classes.
ConvertedModel convert_head(const ModelConfig& config, const torch::nn::Module& head, int max_batch);

}  // namespace moefb::trainer
