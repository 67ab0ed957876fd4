#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <stdexcept>
#include <thread>

#include "converter/atomic_file.h"
#include "trainer/distributed/launch.h"
#include "trainer/distributed/process_group.h"
#include "trainer/models/device.h"
#include "trainer/train/commands.h"
#include "trainer/train/counted.h"
#include "trainer/train/interrupt.h"
#include "trainer/train/progress.h"
#include "trainer/train/training.h"

namespace moefb::trainer {
namespace {

/// Where the configuration does not say how many, the processes of a machine share its cores. Results depend on the
/// number, so a run keeps it, but not into another number of processes: they would fight for the cores, or leave some.
void settle_threads(TrainConfig& train, const World& world) {
  const bool another_share = train.cores_shared_by > 0 && train.cores_shared_by != world.local_size;
  if (train.threads > 0 && !another_share) return;
  train.threads = std::max<int64_t>(1, int64_t(std::thread::hardware_concurrency()) / world.local_size);
  train.cores_shared_by = world.local_size;
}

void introduce(const RunConfig& config, const Dataset& dataset, const World& world) {
  if (world.rank != 0) return;
  std::printf("%s: %s, %ld training, %ld validation, %ld test pictures of %dx%d\n", dataset.name.c_str(),
              counted(int64_t(dataset.class_names.size()), "class").c_str(), long(dataset.train.size()),
              long(dataset.val.size()), long(dataset.test.size()), dataset.train.width, dataset.train.height);
  for (const std::string& note : dataset.notes) std::printf("%s\n", note.c_str());
  if (!world.alone()) std::printf("%ld processes, each with ", long(world.size));
  if (config.train.device != "cpu") std::printf("a GPU and ");
  std::printf("%s, %s\n", counted(config.train.threads, "thread").c_str(),
              config.train.precision == PrecisionChoice::kBf16 ? "bf16" : "f32");
  std::fflush(stdout);
}

constexpr const char* kDeviceSetting = "train.device";

/// Reads the pictures and settles the configuration with them.
Dataset load(RunConfig& config, const World& world) {
  Dataset dataset = load_dataset(config.data, world.rank == 0 ? loading_progress() : nullptr);
  settle_threads(config.train, world);
  resolve(config, dataset);
  return dataset;
}

/// Whoever still waits for the others has nothing to save: until they have met a signal ends it.
std::shared_ptr<const Group> meet(const World& world) {
  std::shared_ptr<const Group> group = join(world);
  if (!world.alone()) catch_interrupts();
  return group;
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
  const World world = world_from_environment();
  const at::Device device = device_of(kDeviceSetting, config.train.device, world);
  RunFolder folder = world.rank == 0 ? RunFolder::create(command.out) : RunFolder::of_another(command.out);
  if (world.rank == 0) folder.claim();
  Dataset dataset = load(config, world);
  if (world.alone()) catch_interrupts();
  if (world.rank == 0) write_file_atomically(folder.config(), to_json(config));
  introduce(config, dataset, world);
  const std::shared_ptr<const Group> group = meet(world);
  Training training(config, std::move(dataset), folder, *group, device);
  return finish(training);
}

void check(const TrainCommand& command, int64_t processes) {
  World world;
  world.local_size = processes;
  device_of(kDeviceSetting, load_toml_config(command.config, command.sets).train.device, world);
}

void check(const ResumeCommand& command, int64_t processes) {
  const RunFolder folder = RunFolder::open(command.run);
  check_resumable(folder);
  World world;
  world.local_size = processes;
  TrainConfig train = load_run_config(folder.config()).train;
  take_device(train, command.device, world);
}

int resume(const ResumeCommand& command) {
  RunFolder folder = RunFolder::open(command.run);
  check_resumable(folder);
  const World world = world_from_environment();
  RunConfig config = load_run_config(folder.config());
  const at::Device device = take_device(config.train, command.device, world);
  if (world.rank == 0) folder.claim();
  Dataset dataset = load(config, world);
  if (world.rank == 0 && !command.device.empty()) write_file_atomically(folder.config(), to_json(config));
  if (world.alone()) catch_interrupts();
  introduce(config, dataset, world);
  const std::shared_ptr<const Group> group = meet(world);
  Training training(config, std::move(dataset), folder, *group, device);
  training.restore();
  return finish(training);
}

int launch(const LaunchCommand& command) {
  return launch(command.command, command.processes);
}

}  // namespace moefb::trainer
