// A training step of the published patch networks in LibTorch, the optimiser's step apart: forward pass with noisy
// routers, losses, backward pass, for E experts and for their single-expert twin. Sparse training pays when a step of
// many experts costs what a step of one does.
//
// Random pictures, 224 x 224, labels and weights. Every expert has room for all patches, so that no step is cheap
// because it dropped some. Names say the experts, the batch, how patches were spread (`gates`: by the untrained
// routers; `even`: dealt out in turn, as in the first epochs of a published run, so that every expert works), and how
// they reach their experts (`index`: by a sorted index; `onehot`: by one-hot tensors, as published). `used` is how many
// experts of a layer got patches.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <benchmark/benchmark.h>
#include <torch/version.h>

#include "bench/common.h"
#include "trainer/models/patch_net.h"

namespace moefb::bench {
namespace {

using trainer::DispatchKind;
using trainer::PatchNet;

struct StepCase {
  int64_t experts = 0;
  int64_t batch = 0;
  bool even = false;
  DispatchKind dispatch = DispatchKind::kIndex;

  std::string name() const {
    return "step/E:" + std::to_string(experts) + "/N:" + std::to_string(batch) + (even ? "/even" : "/gates") +
           (dispatch == DispatchKind::kIndex ? "/index" : "/onehot");
  }
};

std::vector<StepCase> all_cases() {
  std::vector<StepCase> cases;
  for (const int64_t batch : {8, 32}) {
    for (const int64_t experts : {1, 4, 8, 16}) {
      cases.push_back({experts, batch, /*even=*/false, DispatchKind::kIndex});
      cases.push_back({experts, batch, /*even=*/false, DispatchKind::kOnehot});
      cases.push_back({experts, batch, /*even=*/true, DispatchKind::kIndex});
    }
  }
  return cases;
}

PatchNet make_net(const StepCase& one) {
  trainer::PatchNetConfig config;
  config.num_classes = 200;
  config.num_experts = one.experts;
  config.router.capacity_group = trainer::CapacityGroup::kNone;
  at::manual_seed(1);
  PatchNet net(config, one.dispatch);
  net.set_phase({one.even, /*temperature=*/1.0, /*noise_level=*/0.05},
                {/*balance=*/0.01, /*z=*/1e-4, /*diversity=*/0.01});
  return net;
}

/// Mean over the layers.
double experts_used(const trainer::NetworkOutput& out) {
  double used = 0;
  for (const trainer::LayerRouting& layer : out.routing) {
    used += double(std::get<0>(at::_unique(layer.routing.expert)).size(0));
  }
  return used / double(out.routing.size());
}

void time_steps(const StepCase& one, benchmark::State& state) {
  PatchNet net = make_net(one);
  const at::Tensor images = at::randn({one.batch, 3, 224, 224});
  const at::Tensor labels = at::arange(one.batch);
  const auto step = [&] {
    net.zero_grad();
    const trainer::NetworkOutput out = net.forward(images);
    at::Tensor loss = at::cross_entropy_loss(out.logits, labels);
    if (out.aux_loss.defined()) loss = loss + out.aux_loss;
    loss.backward();
    return out;
  };
  // The first one also makes primitives and takes memory from the system.
  state.counters["used"] = experts_used(step());
  for (auto _ : state) step();
}

void run(int threads) {
  at::set_num_threads(threads);
  benchmark::AddCustomContext("libtorch", TORCH_VERSION);
  for (const StepCase& one : all_cases()) {
    add_benchmark(one.name(), benchmark::kMillisecond, [one](benchmark::State& state) { time_steps(one, state); });
  }
  run_benchmarks();
}

}  // namespace
}  // namespace moefb::bench

int main(int argc, char** argv) {
  return moefb::bench::run_program("patch_train_bench", argc, argv, moefb::bench::run);
}
