#include "trainer/train/trained_run.h"

#include <ATen/Parallel.h>

#include <filesystem>
#include <stdexcept>

#include "trainer/models/cifar_net.h"
#include "trainer/models/device.h"
#include "trainer/models/state_dict.h"
#include "trainer/train/progress.h"

namespace moefb::trainer {
namespace {

void check_has_weights(const RunFolder& folder) {
  if (std::filesystem::exists(folder.kept_weights())) return;
  throw std::runtime_error(folder.path() + ": has no model.safetensors yet; it appears after the first epoch");
}

Dataset load_pictures(RunConfig& config, const std::string& run, const std::string& data) {
  if (!data.empty()) config.data.path = data;
  if (config.data.path.empty() && config.data.name != "shapes") {
    throw std::runtime_error(run + ": does not say where its data set " + config.data.name +
                             " lies: name the folder with --data");
  }
  Dataset dataset = load_dataset(config.data, loading_progress());
  if (dataset.test.size() == 0) throw std::runtime_error("data set " + dataset.name + " has no test pictures");
  return dataset;
}

std::shared_ptr<Network> load_network(const RunFolder& folder, const RunConfig& config) {
  at::set_num_threads(int(config.train.threads));
  forbid_tf32();
  auto network = make_network(config.model);
  load_state_dict(network->module(), safetensors::read(folder.kept_weights()), folder.kept_weights());
  if (config.train.channels_last.value()) use_channels_last(network->module());
  network->module().eval();
  return network;
}

}  // namespace

BatchLayout TrainedRun::layout() const {
  return {config.train.batch_size, config.train.channels_last.value(), int(config.train.workers)};
}

TrainedRun load_trained_run(const std::string& run, const std::string& data) {
  const RunFolder folder = RunFolder::open(run);
  RunConfig config = load_run_config(folder.config());
  check_has_weights(folder);
  Dataset dataset = load_pictures(config, run, data);
  resolve(config, dataset);
  auto network = load_network(folder, config);
  return {folder, std::move(config), std::move(dataset), std::move(network)};
}

}  // namespace moefb::trainer
