// How much time sparsity saves in one MoE head: the same tokens and the same weights through the runtime's three
// dispatches (grouped, naive, all), with the same products behind all of them. scripts/bench runs it and keeps its
// JSON.
//
// Routes are given, not chosen: so the routing is exactly balanced or exactly as skewed as its name says, while the
// router still does all of its work. The three answers are compared before any is timed.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/common.h"
#include "bench/routed_head.h"

namespace moefb::bench {
namespace {

constexpr double kTolerance = 2e-5;  // of the largest logit: docs/design.md, section 6

/// Shapes and tokens that are timed with one another.
struct Sweep {
  std::vector<int64_t> tokens, experts, hidden;
  Routing routing;
};
/// Tokens and experts at a middling width; width at few and at many tokens; what an uneven load changes.
const std::vector<Sweep> kSweeps = {
    {{1, 4, 16, 64, 256, 1024, 4096}, {8, 16, 32, 64}, {256}, Routing::kBalanced},
    {{1, 64, 1024}, {8, 32}, {64, 1024, 2048}, Routing::kBalanced},
    {{64, 1024, 4096}, {8, 64}, {256}, Routing::kSkewed},
};
constexpr int64_t kTopK[] = {1, 2};

/// The heads that were built, each once, for the most tokens any sweep gives it.
class Heads {
 public:
  Head& at(const HeadShape& shape) {
    std::unique_ptr<Head>& head = heads_[shape];
    if (head == nullptr) head = std::make_unique<Head>(shape, most_tokens(shape));
    return *head;
  }

 private:
  static int64_t most_tokens(const HeadShape& shape) {
    int64_t most = 1;
    for (const Sweep& sweep : kSweeps) {
      if (std::ranges::count(sweep.hidden, shape.hidden) == 0) continue;
      most = std::max(most, std::ranges::max(sweep.tokens));
    }
    return most;
  }

  std::map<HeadShape, std::unique_ptr<Head>> heads_;
};

/// One comparison: a head, its tokens, their routes; an executor for each mode. Made when its first mode is timed.
class Case {
 public:
  Case(Heads& heads, const HeadShape& shape, int64_t tokens, Routing routing, int threads)
      : heads_(heads), shape_(shape), tokens_(tokens), routing_(routing), threads_(threads) {}

  std::string name() const {
    return "E:" + std::to_string(shape_.experts) + "/K:" + std::to_string(shape_.top_k) +
           "/H:" + std::to_string(shape_.hidden) + "/T:" + std::to_string(tokens_) +
           (routing_ == Routing::kSkewed ? "/skewed" : "/balanced");
  }

  void time(size_t mode, benchmark::State& state) {
    if (executors_.empty()) prepare();
    for (auto _ : state) run(mode);
    state.counters["tokens_per_s"] = benchmark::Counter(
        static_cast<double>(tokens_) * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
  }

 private:
  void prepare() {
    routes_ = make_routes(routing_, tokens_, shape_.experts, shape_.top_k);
    input_ = random_values(static_cast<size_t>(tokens_ * shape_.features), 1, 2);
    logits_.resize(static_cast<size_t>(tokens_ * shape_.classes));
    Head& head = heads_.at(shape_);
    for (const Mode& mode : kModes) executors_.push_back(head.make_executor(mode.dispatch, threads_, routes_));
    compare_answers();
  }

  void run(size_t mode) {
    const Status status = executors_[mode].run(input_, logits_);
    if (!status.ok()) throw std::runtime_error(name() + ": run() failed: " + status.text());
  }

  /// @throws std::runtime_error if a mode's answer differs from the first one's
  void compare_answers() {
    run(0);
    const std::vector<float> first = logits_;
    for (size_t mode = 1; mode < std::size(kModes); ++mode) {
      run(mode);
      expect_same(name() + ", " + kModes[mode].name + " against " + kModes[0].name, logits_, first, kTolerance);
    }
  }

  Heads& heads_;
  HeadShape shape_;
  int64_t tokens_;
  Routing routing_;
  int threads_;
  std::vector<int32_t> routes_;
  std::vector<float> input_, logits_;
  std::vector<Executor> executors_;
};

std::vector<std::unique_ptr<Case>> make_cases(Heads& heads, int threads) {
  std::vector<std::unique_ptr<Case>> cases;
  for (const Sweep& sweep : kSweeps) {
    for (const int64_t hidden : sweep.hidden) {
      for (const int64_t experts : sweep.experts) {
        for (const int64_t top_k : kTopK) {
          const HeadShape shape{.experts = experts, .top_k = top_k, .hidden = hidden};
          for (const int64_t tokens : sweep.tokens) {
            cases.push_back(std::make_unique<Case>(heads, shape, tokens, sweep.routing, threads));
          }
        }
      }
    }
  }
  return cases;
}

void register_modes(Case& one) {
  for (size_t mode = 0; mode < std::size(kModes); ++mode) {
    const std::string name = one.name() + "/" + kModes[mode].name;
    add_benchmark(name, benchmark::kMicrosecond, [&one, mode](benchmark::State& state) { one.time(mode, state); });
  }
}

void run(int threads) {
  benchmark::AddCustomContext("features", std::to_string(HeadShape{}.features));
  benchmark::AddCustomContext("classes", std::to_string(HeadShape{}.classes));
  Heads heads;
  const std::vector<std::unique_ptr<Case>> cases = make_cases(heads, threads);
  for (const std::unique_ptr<Case>& one : cases) register_modes(*one);
  run_benchmarks();
}

}  // namespace
}  // namespace moefb::bench

int main(int argc, char** argv) {
  return moefb::bench::run_program("moe_head_bench", argc, argv, moefb::bench::run);
}
