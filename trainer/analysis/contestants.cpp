#include "trainer/analysis/contestants.h"

#include <ATen/ATen.h>

#include "moefb/inspect.h"
#include "trainer/analysis/machine.h"
#include "trainer/analysis/process_memory.h"
#include "trainer/models/cifar_net.h"
#include "trainer/models/state_dict.h"
#include "trainer/train/device_memory.h"

namespace moefb::trainer {
namespace {

using MakeEngine = std::function<std::unique_ptr<Engine>()>;

int64_t weight_bytes(const torch::nn::Module& module) {
  size_t bytes = 0;
  for (const at::Tensor& tensor : module.parameters()) bytes += tensor.nbytes();
  for (const at::Tensor& tensor : module.buffers()) bytes += tensor.nbytes();
  return int64_t(bytes);
}

void run_once(Engine& engine, const at::Tensor& batch) {
  engine.load(batch);
  engine.run();
}

// The first engine pays for what a process keeps: generated code, threads, tables. It is thrown away.
Contestant measured(const EngineName& name, const MakeEngine& make, const std::optional<int64_t>& weights,
                    const at::Tensor& batch) {
  run_once(*make(), batch);
  Contestant one{name, nullptr, std::nullopt, {}};
  const auto answer_once = [&] {
    one.engine = make();
    run_once(*one.engine, batch);
  };
  const std::optional<int64_t> growth =
      name.device == "cpu" ? peak_growth_bytes(answer_once) : device_peak_growth_bytes(answer_once);
  if (growth && weights) one.peak_bytes = *growth + *weights;
  return one;
}

struct DispatchName {
  Dispatch dispatch;
  const char* name;
};
constexpr DispatchName kDispatches[] = {
    {Dispatch::kGrouped, "grouped"}, {Dispatch::kNaive, "naive"}, {Dispatch::kAll, "all"}};

bool has_moe(const Model& model) {
  for (int i = 0; i < stage_count(model); ++i) {
    if (stage_info(model, i).is_moe) return true;
  }
  return false;
}

void add_runtime(const ConvertedModel& converted, int threads, const at::Tensor& batch, std::vector<Contestant>& to) {
  const bool routed = has_moe(converted.model);
  for (const auto& [dispatch, name] : kDispatches) {
    const auto make = [&converted, dispatch, threads] {
      return make_runtime_engine(converted.model, dispatch, threads);
    };
    to.push_back(measured({"runtime", routed ? name : "-", "auto", threads}, make, converted.resident_bytes, batch));
    if (!routed) return;
  }
}

/// The network once more, with the published dispatch; null for a network that has only one way.
std::shared_ptr<Network> onehot_network(const TrainedRun& run) {
  if (!std::holds_alternative<PatchNetConfig>(run.config.model)) return nullptr;
  auto network = make_network(run.config.model, DispatchKind::kOnehot);
  load_state_dict(network->module(), state_dict(run.network->module()), "the run's weights");
  if (run.layout().channels_last) use_channels_last(network->module());
  network->module().eval();
  return network;
}

/// Where LibTorch computes. A GPU is given its work by one thread.
struct TorchPlace {
  int threads = 1;
  at::Device device = at::kCPU;

  EngineName name(const char* dispatch) const { return {"libtorch", dispatch, "-", threads, device.str()}; }
};

void add_torch(const TrainedRun& run, const std::shared_ptr<Network>& network, const char* dispatch,
               const TorchPlace& place, const at::Tensor& batch, std::vector<Contestant>& to) {
  const auto make = [&] {
    return make_torch_engine([network](const at::Tensor& images) { return network->run(images).logits; },
                             run.layout().channels_last, place.threads, place.device);
  };
  to.push_back(measured(place.name(dispatch), make, weight_bytes(network->module()), batch));
}

/// @param onehot  may be null
void add_torch_networks(const TrainedRun& run, const std::shared_ptr<Network>& onehot, const TorchPlace& place,
                        const at::Tensor& batch, std::vector<Contestant>& to) {
  add_torch(run, run.network, onehot ? "index" : "-", place, batch, to);
  if (onehot) add_torch(run, onehot, "onehot", place, batch, to);
}

void add_torch_head(const std::shared_ptr<CifarNet>& network, const TorchPlace& place, const at::Tensor& batch,
                    std::vector<Contestant>& to) {
  const auto forward = [network](const at::Tensor& features) { return network->head().forward(features).logits; };
  const auto make = [&] { return make_torch_engine(forward, /*channels_last=*/false, place.threads, place.device); };
  to.push_back(measured(place.name("-"), make, weight_bytes(network->head()), batch));
}

}  // namespace

std::vector<int> thread_counts() {
  return usable_cores() > 1 ? std::vector<int>{1, usable_cores()} : std::vector<int>{1};
}

std::vector<Contestant> network_contestants(const TrainedRun& run, const ConvertedModel& converted,
                                            const at::Tensor& batch) {
  const std::shared_ptr<Network> onehot = onehot_network(run);
  std::vector<Contestant> all;
  for (const int threads : thread_counts()) {
    add_torch_networks(run, onehot, {threads}, batch, all);
    add_runtime(converted, threads, batch, all);
  }
  return all;
}

std::vector<Contestant> head_contestants(const std::shared_ptr<CifarNet>& network, const ConvertedModel& converted,
                                         const at::Tensor& batch) {
  std::vector<Contestant> all;
  for (const int threads : thread_counts()) {
    add_torch_head(network, {threads}, batch, all);
    add_runtime(converted, threads, batch, all);
  }
  return all;
}

DeviceNetworks::DeviceNetworks(const TrainedRun& run, const at::Device& device)
    : run_(run), device_(device), onehot_(onehot_network(run)) {
  places_.push_back(std::make_unique<NetworkPlace>(run.network->module(), at::kFloat, device));
  if (onehot_) places_.push_back(std::make_unique<NetworkPlace>(onehot_->module(), at::kFloat, device));
}

std::vector<Contestant> DeviceNetworks::network_contestants(const at::Tensor& batch) const {
  std::vector<Contestant> all;
  add_torch_networks(run_, onehot_, {1, device_}, batch, all);
  return all;
}

std::vector<Contestant> DeviceNetworks::head_contestants(const std::shared_ptr<CifarNet>& network,
                                                         const at::Tensor& batch) const {
  std::vector<Contestant> all;
  add_torch_head(network, {1, device_}, batch, all);
  return all;
}

}  // namespace moefb::trainer
