#include "trainer/analysis/routing_pass.h"

#include <ATen/ATen.h>

#include <cstdlib>
#include <stdexcept>

#include "trainer/analysis/routing_tables.h"
#include "trainer/models/cifar_net.h"
#include "trainer/models/state_dict.h"
#include "trainer/train/batch_images.h"

namespace moefb::trainer {
namespace {

at::Tensor labels_of(const PictureSet& set, std::span<const int64_t> indices) {
  std::vector<int64_t> labels;
  for (const int64_t index : indices) labels.push_back(set.labels[size_t(index)]);
  return at::tensor(labels, at::kLong);
}

/// The routers' temperature when these weights were saved; where the file does not say, that of the kept weights.
double temperature_of(const safetensors::File& file, const PatchNetConfig& config, const std::string& path) {
  const auto found = file.metadata.find("router_temp");
  if (found == file.metadata.end()) return config.router_temp;
  const double temperature = std::strtod(found->second.c_str(), nullptr);
  if (temperature > 0) return temperature;
  throw std::runtime_error(path + ": expected a router_temp above 0, found \"" + found->second + "\"");
}

std::shared_ptr<Network> network_with(const TrainedRun& run, const std::string& name) {
  auto network = make_network(run.config.model);
  const std::string path = run.folder.path() + "/" + name;
  const safetensors::File file = safetensors::read(path);
  load_state_dict(network->module(), file, path);
  if (const auto* patches = std::get_if<PatchNetConfig>(&run.config.model)) {
    network->set_phase({/*uniform=*/false, temperature_of(file, *patches, path), /*noise_level=*/0}, {});
  }
  if (run.layout().channels_last) use_channels_last(network->module());
  return network;
}

}  // namespace

std::optional<RoutingRecorder> record_routing(const TrainedRun& run, Network& network,
                                              const std::vector<int64_t>& pictures, const Watch& watch) {
  const at::NoGradGuard no_grad;
  network.module().eval();
  const BatchLayout layout = run.layout();
  const PictureSet& set = run.dataset.test;
  Loader loader(run.dataset, set, {}, 0, 0, pictures, layout.batch_size, layout.workers);
  RoutingRecorder recorder(run.config.model);
  int64_t done = 0;
  while (const std::optional<Batch> batch = loader.next()) {
    recorder.add(network.run(batch_images(*batch, set, layout.channels_last)), labels_of(set, batch->indices));
    done += int64_t(batch->indices.size());
    if (watch && watch(done, int64_t(pictures.size()))) return std::nullopt;
  }
  return recorder;
}

std::optional<std::vector<LayerChoices>> choices_with(const TrainedRun& run, const std::string& file,
                                                      const std::vector<int64_t>& pictures, const Watch& watch) {
  const auto network = network_with(run, file);
  const auto recorder = record_routing(run, *network, pictures, watch);
  if (!recorder) return std::nullopt;
  std::vector<LayerChoices> choices;
  for (RoutedLayer& layer : recorder->layers()) choices.push_back(std::move(layer.choices));
  return choices;
}

std::vector<Stability> stability(const std::vector<LayerChoices>& before, const std::vector<LayerChoices>& after) {
  std::vector<Stability> layers;
  for (size_t i = 0; i < before.size(); ++i) {
    layers.push_back({before[i].layer, same_share(before[i], after.at(i))});
  }
  return layers;
}

}  // namespace moefb::trainer
