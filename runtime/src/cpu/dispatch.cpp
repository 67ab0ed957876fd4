#include "cpu/dispatch.h"

#include <algorithm>

#include "cpu/first_failure.h"
#include "cpu/split.h"
#include "kernels/routing.h"

namespace moefb::cpu {
namespace {

constexpr int64_t kWorthSharing = 500'000;  // products, some 10 us

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
      gather_grain_(least_units(sizes_.token_elements)),
      combine_grain_(least_units(sizes_.K * sizes_.out_elements)) {}

float* Dispatcher::body_row(int value, int64_t row) const noexcept {
  const int64_t elements = op_.moe().bank.values[size_t(value)].shape.elements();
  return reinterpret_cast<float*>(arena_ + state_.layout().body[size_t(value)]) + row * elements;
}

Status Dispatcher::run_body(int64_t e, int64_t row, int64_t rows, float* answers, ThreadPool& threads) noexcept {
  const std::span<const Step> body = op_.body();
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

  const int64_t most = most_tile_rows();
  const int64_t tiles = kernels::routing::cut_tiles(a_.offsets, sizes_.E, most, state_.tiles_.get());
  const bool side_by_side = state_.reentrant_ && tiles >= threads_.threads();
  MOEFB_TRY(side_by_side ? run_side_by_side(tiles, most) : run_in_turn(tiles));
  combine();
  return {};
}

int64_t Dispatcher::most_tile_rows() const noexcept {
  const int64_t rows = a_.offsets[sizes_.E];
  int64_t most = std::max<int64_t>(1, rows);
  if (!state_.reentrant_) return most;  // ops that use all threads themselves: an expert at a time
  for (const auto& op : state_.body_)
    most = std::min(most, std::max<int64_t>(1, op->tile_rows(rows, threads_.threads())));
  return most;
}

Status Dispatcher::run_side_by_side(int64_t tiles, int64_t most_rows) noexcept {
  Tile* first = state_.tiles_.get();
  // The same number of rows: ascending, so that one expert's tiles follow each other while its weights are in a cache.
  std::sort(first, first + tiles,
            [](const Tile& a, const Tile& b) { return a.rows != b.rows ? a.rows > b.rows : a.first < b.first; });
  // Each thread stays in rows of its own of the body's buffers, which so stay in its cache; if there are too few for
  // that, each tile does.
  const bool rows_of_threads = most_rows * state_.slots_.count() <= sizes_.T * sizes_.K;
  FirstFailure failure;
  const auto run = [&](int64_t i) {
    const Slots::Lease lease(state_.slots_);
    failure.note(run_tile(first[i], rows_of_threads ? lease.index() * most_rows : first[i].first, alone_));
  };
  const bool worth_sharing = a_.offsets[sizes_.E] * op_.row_products() >= kWorthSharing;
  (worth_sharing ? threads_ : alone_).for_each(tiles, run);
  return failure.status();
}

Status Dispatcher::run_in_turn(int64_t tiles) noexcept {
  for (int64_t i = 0; i < tiles; ++i) MOEFB_TRY(run_tile(state_.tiles_[size_t(i)], 0, threads_));
  return {};
}

Status Dispatcher::run_tile(const Tile& tile, int64_t row, ThreadPool& threads) noexcept {
  gather_routes(a_.order + tile.first, tile.rows, row, threads);
  float* answers = a_.answers + (one_expert_a_token() ? row : int64_t{tile.first}) * sizes_.out_elements;
  MOEFB_TRY(run_body(tile.expert, row, tile.rows, answers, threads));
  if (!one_expert_a_token()) return {};
  threads.parallel_for(tile.rows, combine_grain_, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t t = a_.order[tile.first + i];
      start_token(t);
      add_answer(t, a_.weight[t], answers + i * sizes_.out_elements);
    }
  });
  return {};
}

void Dispatcher::combine() noexcept {
  threads_.parallel_for(T_, combine_grain_, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) {
      if (!one_expert_a_token()) {
        combine_routes(t);
      } else if (a_.chosen[t] < 0) {
        start_token(t);
      }
    }
  });
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
