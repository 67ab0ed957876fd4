// What patch_net_bench times, in LibTorch: the trainer's own modules with the same weights and the same input, tokens
// sent to their experts as published (one-hot tensors, a mask and a gather for each expert) and by a sorted index.
// scripts/bench patch runs it where LibTorch is there.
//
// Both answers are compared with the runtime's before any is timed.
#include <ATen/Parallel.h>
#include <benchmark/benchmark.h>
#include <c10/core/InferenceMode.h>
#include <torch/version.h>

#include <tuple>
#include <utility>

#include "bench/patch_models.h"
#include "trainer/models/patch_net.h"
#include "trainer/models/state_dict.h"

namespace moefb::bench {
namespace {

using trainer::DispatchKind;
using trainer::PatchNet;

struct TorchMode {
  DispatchKind kind;
  const char* name;
};
constexpr TorchMode kTorchModes[] = {{DispatchKind::kOnehot, "torch_onehot"}, {DispatchKind::kIndex, "torch_index"}};

trainer::PatchNetConfig config_of(const PatchCase& one) {
  trainer::PatchNetConfig config;
  config.num_classes = kClasses;
  config.image_height = config.image_width = one.part->side;
  config.num_experts = one.experts;
  config.router_temp = 0.85;
  config.patch_size = one.part->patch;
  config.router.capacity_group =
      one.routing == PatchRouting::kGates ? trainer::CapacityGroup::kImage : trainer::CapacityGroup::kNone;
  config.base_channels = one.part->width;
  if (!one.part->is_network()) {
    config.layer_number = 1;
    config.identity_stem = true;
    config.use_kernels(3, 3);
  }
  return config;
}

/// Parameters and running statistics of `owner`, not copied: of the largest network there is room for one.
void share_weights(PatchNet& net, const PatchNet& owner) {
  const auto parameters = owner.named_parameters();
  for (auto& item : net.named_parameters()) item.value().set_data(parameters[item.key()]);
  const auto buffers = owner.named_buffers();
  for (auto& item : net.named_buffers()) item.value().set_data(buffers[item.key()]);
}

/// Replayed routes have no counterpart here: a gate that says the same of every patch does what they do.
void send_all_to_first_expert(PatchNet& net) {
  for (auto& item : net.named_parameters()) {
    if (item.key().find("router_gate.mlp.1") == std::string::npos) continue;
    at::Tensor gate = at::zeros_like(item.value());
    if (item.key().ends_with("bias")) gate[0] = 10;
    item.value().set_data(gate);
  }
}

/// The modules, each made once; those of one part and number of experts share their weights.
class Nets {
 public:
  PatchNet& at(const PatchCase& one, DispatchKind kind) {
    if (!owners_.contains({one.experts, one.part->name})) make_owners(one.experts);
    std::unique_ptr<PatchNet>& net = nets_[{one.experts, one.part->name, one.routing, kind}];
    if (net == nullptr) {
      net = std::make_unique<PatchNet>(config_of(one), kind);
      share_weights(*net, *owners_.at({one.experts, one.part->name}));
      if (one.routing == PatchRouting::kOneExpert) send_all_to_first_expert(*net);
      net->eval();
    }
    return *net;
  }

 private:
  void make_owners(int64_t experts) {
    for_each_part(experts, [&](const PatchPart& part, const safetensors::File& weights) {
      auto owner = std::make_unique<PatchNet>(config_of({&part, experts, 1, PatchRouting::kGates}));
      trainer::load_state_dict(*owner, weights, "benchmark");
      owners_[{experts, part.name}] = std::move(owner);
    });
  }

  std::map<std::pair<int64_t, std::string>, std::unique_ptr<PatchNet>> owners_;
  std::map<std::tuple<int64_t, std::string, PatchRouting, DispatchKind>, std::unique_ptr<PatchNet>> nets_;
};

class TimedCase {
 public:
  TimedCase(Nets& nets, PatchFamilies& families, Arena& arena, const PatchCase& one, int threads)
      : nets_(nets), families_(families), arena_(arena), case_(one), threads_(threads) {}

  std::string name() const { return case_.name(); }

  void time(const TorchMode& mode, benchmark::State& state) {
    PatchNet& net = nets_.at(case_, mode.kind);  // before inference mode, whose tensors cannot be shared
    const c10::InferenceMode no_gradients;
    const at::Tensor input = make_input();
    const at::Tensor logits = net.forward(input).logits.contiguous();
    expect_same(name() + ", " + mode.name + " against the runtime",
                {logits.const_data_ptr<float>(), size_t(logits.numel())}, runtime_answer(), kPatchTolerance);
    for (auto _ : state) benchmark::DoNotOptimize(net.forward(input));
  }

 private:
  at::Tensor make_input() {
    const PatchPart& part = *case_.part;
    const std::span<const float> values = families_.at(case_.experts).input(part, case_.batch);
    return at::tensor(at::ArrayRef<float>(values.data(), values.size()))
        .view({case_.batch, part.channels, part.side, part.side});
  }

  const std::vector<float>& runtime_answer() {
    if (answer_.empty()) {
      const PatchFamily& family = families_.at(case_.experts);
      std::vector<int32_t> routes;
      Executor executor = make_executor(family, case_, Dispatch::kGrouped, threads_, arena_, routes);
      answer_ = run_case(executor, family, case_);
    }
    return answer_;
  }

  Nets& nets_;
  PatchFamilies& families_;
  Arena& arena_;
  PatchCase case_;
  int threads_;
  std::vector<float> answer_;
};

void register_modes(TimedCase& one) {
  for (const TorchMode& mode : kTorchModes) {
    const std::string name = one.name() + "/" + mode.name;
    add_benchmark(name, benchmark::kMicrosecond, [&one, &mode](benchmark::State& state) { one.time(mode, state); });
  }
}

void run(int threads) {
  at::set_num_threads(threads);
  benchmark::AddCustomContext("libtorch", TORCH_VERSION);
  Nets nets;
  PatchFamilies families;
  Arena arena;
  std::vector<std::unique_ptr<TimedCase>> cases;
  for (const PatchCase& one : all_patch_cases()) {
    cases.push_back(std::make_unique<TimedCase>(nets, families, arena, one, threads));
    register_modes(*cases.back());
  }
  run_benchmarks();
}

}  // namespace
}  // namespace moefb::bench

int main(int argc, char** argv) {
  return moefb::bench::run_program("patch_net_torch_bench", argc, argv, moefb::bench::run);
}
