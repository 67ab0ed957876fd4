// Three ways for tokens to meet their experts: grouped, naive, all. Same answer, different work.
#pragma once

#include <cstdint>

#include "cpu/moe.h"

namespace moefb::cpu {

/// One layer's dispatch in one run. Every token's answers are added up in ascending expert index, in every mode.
class Dispatcher {
 public:
  Dispatcher(MoeState& state, int64_t n, const float* src, float* dst, std::byte* arena, const MoeArrays& a,
             ThreadPool& threads) noexcept;

  /// Sorts the routes by expert, runs each expert once over its rows, then combines token by token.
  Status grouped() noexcept;
  /// As published: for every expert a scan of all routes for its tokens, a gather, its products, a scatter.
  Status naive() noexcept;
  /// Every expert on every token; a token that was not sent there counts with weight 0.
  Status all() noexcept;

 private:
  using Tile = kernels::routing::Tile;

  /// Most rows of a tile that one thread takes, by the experts' ops.
  int64_t most_tile_rows() const noexcept;
  /// Several tiles at once, each on one thread, the largest first.
  Status run_side_by_side(int64_t tiles, int64_t most_rows) noexcept;
  /// All tiles one after another, each on all threads.
  Status run_in_turn(int64_t tiles) noexcept;
  /// Gathers a tile's tokens, runs its expert on them and, where each token has one expert, writes them to the output.
  /// @param row  where in the body's buffers
  Status run_tile(const Tile& tile, int64_t row, ThreadPool& threads) noexcept;
  /// The output of tokens that no tile has written.
  void combine() noexcept;
  void combine_routes(int64_t t) noexcept;

  /// Runs expert e on `rows` gathered tokens, from row `row` of the body's buffers on; its answers go to `answers`.
  Status run_body(int64_t e, int64_t row, int64_t rows, float* answers, ThreadPool& threads) noexcept;
  float* body_row(int value, int64_t row) const noexcept;
  bool one_expert_a_token() const noexcept { return sizes_.K == 1; }
  /// dst = residual ? token : 0
  void start_token(int64_t t) noexcept;
  void start_output() noexcept;
  /// dst[t] += gamma * (weight * answer)
  void add_answer(int64_t t, float weight, const float* answer) noexcept;
  /// Copies `count` tokens, routes order[i] / K, into the body's buffers from `row` on.
  void gather_routes(const int32_t* order, int64_t count, int64_t row, ThreadPool& threads) noexcept;

  MoeState& state_;
  const MoeOp& op_;
  const Tokens& tokens_;
  const plan::MoeSizes& sizes_;
  int64_t T_;  ///< tokens of this run
  const float* src_;
  float* dst_;
  std::byte* arena_;
  MoeArrays a_;
  ThreadPool& threads_;
  ThreadPool alone_;  ///< one thread: for what already runs on several
  int64_t out_channels_;
  int64_t gather_grain_, combine_grain_;  ///< tokens whose copying is worth a hand-off
};

}  // namespace moefb::cpu
