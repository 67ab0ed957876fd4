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
  /// Runs expert e on `rows` gathered tokens; its answers go to `answers`.
  Status run_body(int64_t e, int64_t rows, float* answers) noexcept;
  float* token_rows() const noexcept;
  /// dst = residual ? token : 0, for all tokens.
  void start_output() noexcept;
  void start_token(int64_t t) noexcept;
  /// dst[t] += gamma * (weight * answer)
  void add_answer(int64_t t, float weight, const float* answer) noexcept;
  void gather_route(int64_t route, int64_t row) noexcept;

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
  int64_t out_channels_;
};

}  // namespace moefb::cpu
