#include <ATen/Parallel.h>

#include <cstdio>
#include <filesystem>
#include <stdexcept>

#include "converter/atomic_file.h"
#include "trainer/import/torch_file.h"
#include "trainer/models/state_dict.h"
#include "trainer/train/commands.h"
#include "trainer/train/golden_vector.h"
#include "trainer/train/patch_settings.h"
#include "trainer/train/published_summary.h"
#include "trainer/train/run_folder.h"

namespace moefb::trainer {
namespace {

namespace fs = std::filesystem;

std::shared_ptr<Network> load_model(const RunConfig& config, const safetensors::File& weights,
                                    const std::string& checkpoint, const std::string& settings) {
  auto model = make_network(config.model);
  try {
    load_state_dict(model->module(), weights, checkpoint);
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(std::string(error.what()) + " (expected sizes and names follow from " + settings + ")");
  }
  return model;
}

void write_files(const RunFolder& folder, Network& model, const RunConfig& config) {
  safetensors::write(folder.kept_weights(), state_dict(model.module()));
  write_golden_vector(model, config, folder.golden());
  write_file_atomically(folder.config(), to_json(config));
}

/// All files of the run or, where one cannot be written, none.
void write_run(const std::string& path, Network& model, const RunConfig& config) {
  const bool is_new = !fs::exists(path);
  const RunFolder folder = RunFolder::create(path);
  try {
    write_files(folder, model, config);
  } catch (...) {
    std::error_code ignored;
    for (const auto& file : {folder.kept_weights(), folder.golden(), folder.config()}) fs::remove(file, ignored);
    if (is_new) fs::remove(path, ignored);
    throw;
  }
}

void finish(const ImportCommand& command, const RunConfig& config, const safetensors::File& weights,
            const std::string& settings) {
  at::set_num_threads(int(config.train.threads));
  const auto model = load_model(config, weights, command.checkpoint, settings);
  write_run(command.out, *model, config);
}

/// model.pt, with its summary.json beside it.
void import_heads(const ImportCommand& command) {
  const std::string summary = (fs::path(command.checkpoint).parent_path() / "summary.json").string();
  const PublishedCheckpoint checkpoint = read_published_checkpoint(command.checkpoint);
  finish(command, read_published_summary(summary, checkpoint.weights, command.checkpoint), checkpoint.weights, summary);
  std::printf("%s: %zu tensors, validation accuracy %.2f %% when they were saved\n", command.checkpoint.c_str(),
              checkpoint.weights.tensors.size(), 100 * checkpoint.val_acc);
}

/// last.ckpt, with a file of settings.
void import_patches(const ImportCommand& command) {
  const LightningCheckpoint checkpoint = read_lightning_checkpoint(command.checkpoint);
  const RunConfig config = read_patch_settings(command.config, checkpoint.weights, command.checkpoint);
  finish(command, config, checkpoint.weights, command.config);
  std::printf("%s: %zu tensors", command.checkpoint.c_str(), checkpoint.weights.tensors.size());
  if (checkpoint.epoch) std::printf(", saved in epoch %ld", long(*checkpoint.epoch));
  std::printf("\n");
}

}  // namespace

int import(const ImportCommand& command) {
  command.config.empty() ? import_heads(command) : import_patches(command);
  std::printf("the run is in %s\n", command.out.c_str());
  return 0;
}

}  // namespace moefb::trainer
