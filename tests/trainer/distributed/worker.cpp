// distributed_worker CONFIG.toml RUN [STEPS]: trains as `trainer train` does, in the processes that the environment
// names, but in double, so that what several processes compute differs from one process in the last digits only. Goes
// on where RUN has a checkpoint; stops after STEPS more steps, which is exit code 130.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>

#include "converter/atomic_file.h"
#include "trainer/distributed/process_group.h"
#include "trainer/train/training.h"

namespace moefb::trainer {
namespace {

class DoubleNetwork : public Network {
 public:
  explicit DoubleNetwork(std::shared_ptr<Network> network) : network_(std::move(network)) {
    network_->module().to(at::kDouble);
  }
  using Network::run;
  NetworkOutput run(const at::Tensor& images, Precision precision) override {
    return network_->run(images.to(at::kDouble), precision);
  }
  NetworkOutput rerun(const at::Tensor& images, const NetworkOutput& routes) override {
    return network_->rerun(images.to(at::kDouble), routes);
  }
  void set_phase(const RoutingPhase& phase, const RouterLossWeights& weights) override {
    network_->set_phase(phase, weights);
  }
  torch::nn::Module& module() override { return network_->module(); }

 private:
  std::shared_ptr<Network> network_;
};

RunFolder folder_of(const std::string& path, const World& world) {
  if (world.rank != 0 || std::filesystem::exists(path)) return RunFolder::of_another(path);
  return RunFolder::create(path);
}

int work(const std::string& config_file, const std::string& run, int64_t steps) {
  RunConfig config = load_toml_config(config_file, {});
  const Dataset dataset = load_dataset(config.data);
  resolve(config, dataset);
  const World world = world_from_environment();
  const RunFolder folder = folder_of(run, world);
  if (world.rank == 0) write_file_atomically(folder.config(), to_json(config));
  const std::shared_ptr<const Group> group = join(world);
  at::set_num_threads(1);
  at::manual_seed(config.train.seed);
  const auto network = std::make_shared<DoubleNetwork>(make_network(config.model, config.train.dispatch, *group));
  Training training(config, dataset, folder, network, *group);
  training.restore();
  const int64_t last = training.position().step + steps;
  return training.run([&] { return training.position().step >= last; }) ? 0 : 130;
}

}  // namespace
}  // namespace moefb::trainer

int main(int argc, char** argv) {
  try {
    if (argc < 3) throw std::runtime_error("expected CONFIG.toml RUN [STEPS]");
    return moefb::trainer::work(argv[1], argv[2], argc > 3 ? std::atoll(argv[3]) : 1 << 30);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "distributed_worker: %s\n", error.what());
    return 1;
  }
}
