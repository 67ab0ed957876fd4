#include "cpu/dispatch.h"

#include <algorithm>
#include <atomic>

#include "kernels/routing.h"

namespace moefb::cpu {
namespace {

using kernels::routing::kMinTileRows;

constexpr int64_t kGrainElements = 16'384;  // copied or added up: a few us, worth a hand-off
constexpr int64_t kWorthSharing = 500'000;  // products, some 10 us
constexpr int64_t kMaxTileRows = 128;       // rows and hidden units of a tile stay in the L2 cache
constexpr int64_t kTilesPerThread = 4;      // at least, so that uneven experts even out

}  // namespace

Dispatcher::Dispatcher(MoeState& state, int64_t n, const float* src, float* dst, std::byte* arena, const MoeArrays& a,
                       ThreadPool& threads) noexcept
    : state_(state),
      op_(state.op()),
      tokens_(op_.tokens()),
      sizes_(state.layout().sizes),
      T_(n * tokens_.per_image()),
      src_(src),
      dst_(dst),
      arena_(arena),
      a_(a),
      threads_(threads),
      out_channels_(sizes_.out_elements / (tokens_.patch() * tokens_.patch())),
      gather_grain_(1 + kGrainElements / sizes_.token_elements),
      combine_grain_(1 + kGrainElements / (sizes_.K * sizes_.out_elements)) {}

float* Dispatcher::body_row(int value, int64_t row) const noexcept {
  const int64_t elements = op_.moe().bank.values[size_t(value)].shape.elements();
  return reinterpret_cast<float*>(arena_ + state_.layout().body[size_t(value)]) + row * elements;
}

Status Dispatcher::run_body(int64_t e, int64_t row, int64_t rows, float* answers, ThreadPool& threads) noexcept {
  const std::vector<graph::Node>& body = op_.moe().bank.body;
  for (size_t i = 0; i < body.size(); ++i) {
    OpCall call;
    call.n = rows;
    call.expert = e;
    for (size_t k = 0; k < body[i].inputs.size(); ++k) call.srcs[k] = body_row(body[i].inputs[k], row);
    call.dst = i + 1 == body.size() ? answers : body_row(body[i].output, row);
    MOEFB_TRY(state_.body_[i]->run(call, threads));
  }
  return {};
}

void Dispatcher::start_token(int64_t t) noexcept {
  if (op_.moe().residual) {
    tokens_.copy_to_output(src_, t, dst_);
    return;
  }
  for (int64_t y = 0; y < tokens_.patch(); ++y) {
    const TokenLine line = tokens_.output_line(dst_, t, y, out_channels_);
    std::fill_n(line.data, line.pixels * out_channels_, 0.0f);
  }
}

void Dispatcher::start_output() noexcept {
  threads_.parallel_for(T_, combine_grain_, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) start_token(t);
  });
}

void Dispatcher::add_answer(int64_t t, float weight, const float* answer) noexcept {
  const float gamma = op_.gamma();
  for (int64_t y = 0; y < tokens_.patch(); ++y) {
    const TokenLine line = tokens_.output_line(dst_, t, y, out_channels_);
    const float* src = answer + y * tokens_.patch() * out_channels_;
    for (int64_t i = 0; i < line.pixels * out_channels_; ++i) line.data[i] += gamma * (weight * src[i]);
  }
}

void Dispatcher::gather_routes(const int32_t* order, int64_t count, int64_t row, ThreadPool& threads) noexcept {
  float* rows = body_row(0, row);
  threads.parallel_for(count, gather_grain_, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      tokens_.gather(src_, order[i] / sizes_.K, rows + i * sizes_.token_elements);
    }
  });
}

// ---- grouped ----

Status Dispatcher::grouped() noexcept {
  kernels::routing::sort_by_expert(a_.chosen, T_ * sizes_.K, sizes_.E, a_.offsets, a_.order);
  for (int64_t i = 0; i < a_.offsets[sizes_.E]; ++i) a_.position[a_.order[i]] = int32_t(i);
  for (int64_t e = 0; e < sizes_.E; ++e) state_.expert_rows_[size_t(e)] = a_.offsets[e + 1] - a_.offsets[e];

  const int64_t tiles = cut_tiles();
  const bool side_by_side = threads_.threads() > 1 && state_.reentrant_ && tiles >= threads_.threads();
  MOEFB_TRY(side_by_side ? run_side_by_side(tiles) : run_in_turn(tiles));

  threads_.parallel_for(T_, combine_grain_, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) combine_routes(t);
  });
  return {};
}

int64_t Dispatcher::cut_tiles() noexcept {
  const int64_t rows = a_.offsets[sizes_.E];
  int64_t most = std::max<int64_t>(rows, kMinTileRows);  // ops that use all threads themselves: an expert at a time
  if (state_.reentrant_) {
    const int64_t share = threads_.threads() == 1 ? rows : rows / (threads_.threads() * kTilesPerThread);
    most = std::clamp(share, kMinTileRows, kMaxTileRows);
  }
  return kernels::routing::cut_tiles(a_.offsets, sizes_.E, most, state_.tiles_.get());
}

Status Dispatcher::run_side_by_side(int64_t tiles) noexcept {
  // Each tile has rows of its own in the body's buffers.
  std::atomic<bool> failed{false};
  Status failure;
  const auto run = [&](int64_t i) {
    const Tile& tile = state_.tiles_[size_t(i)];
    const Status status = run_tile(tile, tile.first, alone_);
    if (!status.ok() && !failed.exchange(true)) failure = status;
  };
  const bool worth_sharing = a_.offsets[sizes_.E] * op_.row_products() >= kWorthSharing;
  (worth_sharing ? threads_ : alone_).for_each(tiles, run);
  return failure;
}

Status Dispatcher::run_in_turn(int64_t tiles) noexcept {
  // All in the same rows of the body's buffers, which so stay in the cache.
  for (int64_t i = 0; i < tiles; ++i) MOEFB_TRY(run_tile(state_.tiles_[size_t(i)], 0, threads_));
  return {};
}

Status Dispatcher::run_tile(const Tile& tile, int64_t row, ThreadPool& threads) noexcept {
  gather_routes(a_.order + tile.first, tile.rows, row, threads);
  return run_body(tile.expert, row, tile.rows, a_.answers + tile.first * sizes_.out_elements, threads);
}

void Dispatcher::combine_routes(int64_t t) noexcept {
  start_token(t);
  // Rows lie in expert order, so the next expert of a token is the one with the next higher position.
  for (int64_t done = -1, k = 0; k < sizes_.K; ++k) {
    int64_t next = -1;
    for (int64_t r = t * sizes_.K; r < (t + 1) * sizes_.K; ++r) {
      if (a_.chosen[r] >= 0 && a_.position[r] > done && (next < 0 || a_.position[r] < a_.position[next])) next = r;
    }
    if (next < 0) break;
    done = a_.position[next];
    add_answer(t, a_.weight[next], a_.answers + done * sizes_.out_elements);
  }
}

// ---- naive ----

Status Dispatcher::naive() noexcept {
  start_output();
  for (int64_t e = 0; e < sizes_.E; ++e) {
    int64_t rows = 0;
    for (int64_t route = 0; route < T_ * sizes_.K; ++route) {  // the mask: every expert looks at every route
      if (a_.chosen[route] == e) a_.order[rows++] = int32_t(route);
    }
    state_.expert_rows_[size_t(e)] = rows;
    if (rows == 0) continue;
    gather_routes(a_.order, rows, 0, threads_);
    MOEFB_TRY(run_body(e, 0, rows, a_.answers, threads_));
    threads_.parallel_for(rows, combine_grain_, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        const int64_t route = a_.order[row];
        add_answer(route / sizes_.K, a_.weight[route], a_.answers + row * sizes_.out_elements);
      }
    });
  }
  return {};
}

// ---- all ----

Status Dispatcher::all() noexcept {
  start_output();
  threads_.parallel_for(T_, gather_grain_, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) tokens_.gather(src_, t, body_row(0, t));
  });
  for (int64_t e = 0; e < sizes_.E; ++e) {
    state_.expert_rows_[size_t(e)] = T_;
    MOEFB_TRY(run_body(e, 0, T_, a_.answers, threads_));
    threads_.parallel_for(T_, combine_grain_, [&](int64_t begin, int64_t end) {
      for (int64_t t = begin; t < end; ++t) {
        float weight = 0;
        for (int64_t r = t * sizes_.K; r < (t + 1) * sizes_.K; ++r) {
          if (a_.chosen[r] == e) weight = a_.weight[r];
        }
        add_answer(t, weight, a_.answers + t * sizes_.out_elements);
      }
    });
  }
  return {};
}

}  // namespace moefb::cpu
