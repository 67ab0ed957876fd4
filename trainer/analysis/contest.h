// Engines that answer the same batches in turn, so that whatever else the machine does hits all of them alike.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "trainer/analysis/engine.h"
#include "trainer/analysis/watch.h"

namespace moefb::trainer {

/// One row of the table.
struct Contestant {
  EngineName name;
  std::unique_ptr<Engine> engine;
  std::optional<int64_t> peak_bytes;  ///< its weights, and by how much one forward pass raises resident memory
  std::vector<double> milliseconds;   ///< of each timed batch
};

/// What the contestants answer.
struct Rounds {
  std::vector<at::Tensor> warmup;  ///< one batch a round, before the clock starts; at least one: answers are compared
  std::vector<at::Tensor> timed;
  at::Tensor expected;  ///< answers of the first warm-up batch; undefined: those of the first contestant

  const at::Tensor& batch(size_t round) const {
    return round < warmup.size() ? warmup[round] : timed[round - warmup.size()];
  }
};

/// Every contestant answers a batch, then every contestant the next, in another order each round: who runs after one
/// that shares its weights finds them in the caches, and is a fifth faster than who runs after another library. Whose
/// time is taken first answers the batch before once more, so that most of what it works with is there whomever it
/// follows. In the warm-up their answers must be the expected ones, then those of the first contestant, but for
/// rounding (compare_answers(); on a GPU, where nobody has measured it yet, as far as bf16 may differ).
/// @param watch  told how many rounds are done
/// @return the first contestant's answers to the batches of all rounds, (n, classes) each; nothing if it was stopped
/// @throws std::runtime_error that names the contestant which answers otherwise
std::optional<std::vector<at::Tensor>> run_contest(std::vector<Contestant>& contestants, const Rounds& rounds,
                                                   const Watch& watch);

/// "libtorch onehot, 2 threads"
std::string describe(const EngineName& name);

}  // namespace moefb::trainer
