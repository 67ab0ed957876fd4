#include <ATen/Parallel.h>

#include <cstdio>
#include <filesystem>
#include <stdexcept>

#include "converter/atomic_file.h"
#include "trainer/import/torch_file.h"
#include "trainer/models/state_dict.h"
#include "trainer/train/commands.h"
#include "trainer/train/golden_vector.h"
#include "trainer/train/published_summary.h"
#include "trainer/train/run_folder.h"

namespace moefb::trainer {
namespace {

namespace fs = std::filesystem;

std::shared_ptr<CifarNet> load_model(const RunConfig& config, const safetensors::File& weights,
                                     const std::string& checkpoint, const std::string& summary) {
  auto model = std::make_shared<CifarNet>(config.model);
  try {
    load_state_dict(*model, weights, checkpoint);
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(std::string(error.what()) + " (expected sizes and names follow from " + summary + ")");
  }
  return model;
}

void write_files(const RunFolder& folder, CifarNet& model, const RunConfig& config) {
  safetensors::write(folder.kept_weights(), state_dict(model));
  write_golden_vector(model, config, folder.golden());
  write_file_atomically(folder.config(), to_json(config));
}

/// All files of the run or, where one cannot be written, none.
void write_run(const std::string& path, CifarNet& model, const RunConfig& config) {
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

}  // namespace

int import(const ImportCommand& command) {
  const std::string summary = (fs::path(command.checkpoint).parent_path() / "summary.json").string();
  const PublishedCheckpoint checkpoint = read_published_checkpoint(command.checkpoint);
  const RunConfig config = read_published_summary(summary, checkpoint.weights, command.checkpoint);
  at::set_num_threads(int(config.train.threads));
  const auto model = load_model(config, checkpoint.weights, command.checkpoint, summary);

  write_run(command.out, *model, config);
  std::printf("%s: %zu tensors, validation accuracy %.2f %% when they were saved\nthe run is in %s\n",
              command.checkpoint.c_str(), checkpoint.weights.tensors.size(), 100 * checkpoint.val_acc,
              command.out.c_str());
  return 0;
}

}  // namespace moefb::trainer
