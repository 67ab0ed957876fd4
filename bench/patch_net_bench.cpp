// How much time sparsity saves in the patch-routed networks: each MoE layer of the published sizes, the whole network,
// and the small one of docs/patch-networks.md, through the runtime's three dispatches (grouped, naive, all), on
// photographs and with every patch sent to one expert. scripts/bench patch runs it and keeps its JSON.
//
// The three answers are compared before any is timed.
#include <benchmark/benchmark.h>

#include "bench/patch_models.h"
#include "converter/moefb_file.h"
#include "moefb/inspect.h"

namespace moefb::bench {
namespace {

class TimedCase {
 public:
  TimedCase(PatchFamilies& families, Arena& arena, const PatchCase& one, int threads)
      : families_(families), arena_(arena), case_(one), threads_(threads) {}

  std::string name() const { return case_.name(); }

  void time(const Mode& mode, benchmark::State& state) {
    const PatchFamily& family = families_.at(case_.experts);
    if (!compared_) compare_answers(family);
    Executor executor = make_executor(family, case_, mode.dispatch, threads_, arena_, routes_);
    std::vector<float> logits = run_case(executor, family, case_);
    const std::span<const float> input = family.input(*case_.part, case_.batch);
    for (auto _ : state) convert::check(executor.run(input, logits), "run");
    if (mode.dispatch == Dispatch::kGrouped) state.counters["kept"] = kept_share(executor);
  }

 private:
  void compare_answers(const PatchFamily& family) {
    std::vector<float> first;
    for (const Mode& mode : kModes) {
      Executor executor = make_executor(family, case_, mode.dispatch, threads_, arena_, routes_);
      const std::vector<float> answer = run_case(executor, family, case_);
      if (first.empty()) first = answer;
      expect_same(name() + ", " + mode.name + " against " + kModes[0].name, answer, first, kPatchTolerance);
    }
    compared_ = true;
  }

  /// Of all patches in all MoE layers, those that an expert had room for.
  double kept_share(const Executor& executor) const {
    int64_t kept = 0;
    for (int layer = 0; layer < executor.moe_layer_count(); ++layer) {
      for (const int64_t rows : executor.expert_rows(layer).rows) kept += rows;
    }
    return double(kept) / double(route_count(executor.model(), int(case_.batch)));
  }

  PatchFamilies& families_;
  Arena& arena_;
  PatchCase case_;
  int threads_;
  bool compared_ = false;
  std::vector<int32_t> routes_;
};

void register_modes(TimedCase& one) {
  for (const Mode& mode : kModes) {
    const std::string name = one.name() + "/" + mode.name;
    add_benchmark(name, benchmark::kMicrosecond, [&one, &mode](benchmark::State& state) { one.time(mode, state); });
  }
}

void run(int threads) {
  PatchFamilies families;
  Arena arena;
  std::vector<std::unique_ptr<TimedCase>> cases;
  for (const PatchCase& one : all_patch_cases()) {
    cases.push_back(std::make_unique<TimedCase>(families, arena, one, threads));
    register_modes(*cases.back());
  }
  run_benchmarks();
}

}  // namespace
}  // namespace moefb::bench

int main(int argc, char** argv) {
  return moefb::bench::run_program("patch_net_bench", argc, argv, moefb::bench::run);
}
