#include "trainer/analysis/contest.h"

#include <ATen/ATen.h>

#include <chrono>
#include <stdexcept>

#include "trainer/train/agreement.h"

namespace moefb::trainer {
namespace {

double timed_run(Engine& engine, const at::Tensor& batch) {
  engine.load(batch);
  const auto start = std::chrono::steady_clock::now();
  engine.run();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

/// @param expected  undefined: what the first contestant answers
void check_answers(const std::vector<Contestant>& contestants, const at::Tensor& expected) {
  const Contestant& first = contestants.front();
  const at::Tensor logits = expected.defined() ? expected : first.engine->logits();
  const std::string whose = expected.defined() ? "libtorch on the CPU" : describe(first.name);
  for (const Contestant& one : contestants) {
    const Agreement agreement =
        compare_answers(logits, one.engine->logits(), /*bf16_weights=*/one.name.device != "cpu");
    if (agreement.good()) continue;
    throw std::runtime_error(describe(one.name) + ": expected the classes that " + whose +
                             " gives, but for rounding; found others for " + std::to_string(agreement.different) +
                             " of " + std::to_string(agreement.pictures) + " pictures. Nothing was timed");
  }
}

/// One round. @param clock  whether its times count
void answer(std::vector<Contestant>& contestants, size_t round, const at::Tensor& batch, bool clock) {
  for (size_t turn = 0; turn < contestants.size(); ++turn) {
    Contestant& one = contestants[(round + turn) % contestants.size()];
    const double milliseconds = timed_run(*one.engine, batch);
    if (clock) one.milliseconds.push_back(milliseconds);
  }
}

}  // namespace

std::optional<std::vector<at::Tensor>> run_contest(std::vector<Contestant>& contestants, const Rounds& rounds,
                                                   const Watch& watch) {
  const size_t total = rounds.warmup.size() + rounds.timed.size();
  std::vector<at::Tensor> answers;
  for (size_t round = 0; round < total; ++round) {
    const bool clock = round >= rounds.warmup.size();
    const at::Tensor& batch = clock ? rounds.timed[round - rounds.warmup.size()] : rounds.warmup[round];
    answer(contestants, round, batch, clock);
    if (!clock) check_answers(contestants, round == 0 ? rounds.expected : at::Tensor());
    answers.push_back(contestants.front().engine->logits().clone());
    if (watch && watch(int64_t(round) + 1, int64_t(total))) return std::nullopt;
  }
  return answers;
}

std::string describe(const EngineName& name) {
  const std::string dispatch = name.dispatch == "-" ? "" : " " + name.dispatch;
  if (name.device != "cpu") return name.engine + dispatch + ", " + name.device;
  return name.engine + dispatch + ", " + std::to_string(name.threads) + (name.threads == 1 ? " thread" : " threads");
}

}  // namespace moefb::trainer
