// A run small enough for a test: a few pictures of `shapes`, a network two channels wide.
#pragma once

#include <string>
#include <vector>

#include "converter/atomic_file.h"
#include "trainer/data/dataset.h"
#include "trainer/train/run_config.h"

namespace moefb::trainer {

inline constexpr const char* kTinyToml = R"(
image = 16
width0 = 2
num_experts = 4
hidden_mult = 0.5
[train]
epochs = 2
batch_size = 16
schedule = "cosine"
learning_rate = 0.05
warmup_epochs = 1
nesterov = true
label_smoothing = 0.1
crop_padding = 2
flip = true
small_image = 12
small_image_epochs = 1
precision = "f32"
threads = 1
[data]
train_size = 90
val_size = 24
test_size = 36
)";
inline constexpr int64_t kTinyBatches = 6;  ///< an epoch's, the last one short

/// The configuration at `path`, written there, with its data; resolved.
struct TinyRun {
  explicit TinyRun(const std::string& path, const std::vector<std::string>& sets = {}) {
    write_file_atomically(path, std::string_view(kTinyToml));
    config = load_toml_config(path, sets);
    dataset = load_dataset(config.data);
    resolve(config, dataset);
  }
  RunConfig config;
  Dataset dataset;
};

}  // namespace moefb::trainer
