#include <cstdio>

#include "converter/atomic_file.h"
#include "trainer/train/commands.h"
#include "trainer/train/interrupt.h"
#include "trainer/train/training.h"

namespace moefb::trainer {
namespace {

void introduce(const RunConfig& config, const Dataset& dataset) {
  std::printf("%s: %zu classes, %ld training, %ld validation, %ld test pictures of %dx%d\n", dataset.name.c_str(),
              dataset.class_names.size(), long(dataset.train.size()), long(dataset.val.size()),
              long(dataset.test.size()), dataset.train.width, dataset.train.height);
  std::printf("%ld threads, %s\n", long(config.train.threads),
              config.train.precision == PrecisionChoice::kBf16 ? "bf16" : "f32");
  std::fflush(stdout);
}

int finish(Training& training) {
  return training.run(interrupted) ? 0 : kExitInterrupted;
}

}  // namespace

int train(const TrainCommand& command) {
  RunConfig config = load_toml_config(command.config, command.sets);
  const RunFolder folder = RunFolder::create(command.out);
  Dataset dataset = load_dataset(config.data);
  resolve(config, dataset);
  catch_interrupts();
  write_file_atomically(folder.config(), to_json(config));
  introduce(config, dataset);
  Training training(config, std::move(dataset), folder);
  return finish(training);
}

int resume(const std::string& run) {
  const RunFolder folder = RunFolder::open(run);
  RunConfig config = load_run_config(folder.config());
  Dataset dataset = load_dataset(config.data);
  resolve(config, dataset);
  catch_interrupts();
  introduce(config, dataset);
  Training training(config, std::move(dataset), folder);
  training.restore();
  return finish(training);
}

}  // namespace moefb::trainer
