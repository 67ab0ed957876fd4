#include <cstdio>
#include <filesystem>
#include <stdexcept>

#include "converter/atomic_file.h"
#include "trainer/train/commands.h"
#include "trainer/train/interrupt.h"
#include "trainer/train/progress.h"
#include "trainer/train/training.h"

namespace moefb::trainer {
namespace {

void introduce(const RunConfig& config, const Dataset& dataset) {
  std::printf("%s: %zu classes, %ld training, %ld validation, %ld test pictures of %dx%d\n", dataset.name.c_str(),
              dataset.class_names.size(), long(dataset.train.size()), long(dataset.val.size()),
              long(dataset.test.size()), dataset.train.width, dataset.train.height);
  for (const std::string& note : dataset.notes) std::printf("%s\n", note.c_str());
  std::printf("%ld threads, %s\n", long(config.train.threads),
              config.train.precision == PrecisionChoice::kBf16 ? "bf16" : "f32");
  std::fflush(stdout);
}

int finish(Training& training) {
  return training.run(interrupted) ? 0 : kExitInterrupted;
}

/// An imported run has weights, but never had an optimiser: going on would replace them with weights made anew.
void check_resumable(const RunFolder& folder) {
  namespace fs = std::filesystem;
  if (fs::exists(folder.optimizer()) || fs::exists(folder.metrics()) || !fs::exists(folder.kept_weights())) return;
  throw std::runtime_error(folder.path() + ": expected a run to go on with, found imported weights alone");
}

}  // namespace

int train(const TrainCommand& command) {
  RunConfig config = load_toml_config(command.config, command.sets);
  RunFolder folder = RunFolder::create(command.out);
  folder.claim();
  Dataset dataset = load_dataset(config.data, loading_progress());
  resolve(config, dataset);
  catch_interrupts();
  write_file_atomically(folder.config(), to_json(config));
  introduce(config, dataset);
  Training training(config, std::move(dataset), folder);
  return finish(training);
}

int resume(const std::string& run) {
  RunFolder folder = RunFolder::open(run);
  check_resumable(folder);
  folder.claim();
  RunConfig config = load_run_config(folder.config());
  Dataset dataset = load_dataset(config.data, loading_progress());
  resolve(config, dataset);
  catch_interrupts();
  introduce(config, dataset);
  Training training(config, std::move(dataset), folder);
  training.restore();
  return finish(training);
}

}  // namespace moefb::trainer
