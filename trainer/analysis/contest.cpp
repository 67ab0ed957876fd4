#include "trainer/analysis/contest.h"

#include <ATen/ATen.h>

#include <chrono>
#include <stdexcept>

#include "trainer/data/augment.h"
#include "trainer/data/random.h"
#include "trainer/train/agreement.h"
#include "trainer/train/counted.h"

namespace moefb::trainer {
namespace {

void answer(Engine& engine, const at::Tensor& batch) {
  engine.load(batch);
  engine.run();
}

/// @return milliseconds
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

/// Everyone in turn, in an order of the round's own.
template <typename Fn>
void in_turn(std::vector<Contestant>& contestants, size_t round, const Fn& fn) {
  for (const int64_t i : permutation(int64_t(contestants.size()), Random(0, Stream::kOrder, round))) {
    fn(contestants[size_t(i)]);
  }
}

}  // namespace

std::optional<std::vector<at::Tensor>> run_contest(std::vector<Contestant>& contestants, const Rounds& rounds,
                                                   const Watch& watch) {
  const size_t total = rounds.warmup.size() + rounds.timed.size();
  std::vector<at::Tensor> answers;
  for (size_t round = 0; round < total; ++round) {
    const at::Tensor& batch = rounds.batch(round);
    if (round < rounds.warmup.size()) {
      in_turn(contestants, round, [&](Contestant& one) { answer(*one.engine, batch); });
      check_answers(contestants, round == 0 ? rounds.expected : at::Tensor());
    } else {
      in_turn(contestants, round, [&](Contestant& one) {
        answer(*one.engine, rounds.batch(round - 1));
        one.milliseconds.push_back(timed_run(*one.engine, batch));
      });
    }
    answers.push_back(contestants.front().engine->logits().clone());
    if (watch && watch(int64_t(round) + 1, int64_t(total))) return std::nullopt;
  }
  return answers;
}

std::string describe(const EngineName& name) {
  const std::string dispatch = name.dispatch == "-" ? "" : " " + name.dispatch;
  if (name.device != "cpu") return name.engine + dispatch + ", " + name.device;
  return name.engine + dispatch + ", " + counted(name.threads, "thread");
}

}  // namespace moefb::trainer
