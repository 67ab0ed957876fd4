#include "cpu/dispatch.h"

#include <algorithm>

#include "kernels/routing.h"

namespace moefb::cpu {
namespace {
constexpr int64_t kTokenGrain = 8;
}

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
      out_channels_(sizes_.out_elements / (tokens_.patch() * tokens_.patch())) {}

float* Dispatcher::token_rows() const noexcept {
  return reinterpret_cast<float*>(arena_ + state_.layout().body[0]);
}

Status Dispatcher::run_body(int64_t e, int64_t rows, float* answers) noexcept {
  state_.expert_rows_[size_t(e)] = rows;
  if (rows == 0) return {};
  const std::vector<graph::Node>& body = op_.moe().bank.body;
  const std::vector<int64_t>& offsets = state_.layout().body;
  for (size_t i = 0; i < body.size(); ++i) {
    OpCall call;
    call.n = rows;
    call.expert = e;
    for (size_t k = 0; k < body[i].inputs.size(); ++k) {
      call.srcs[k] = reinterpret_cast<const float*>(arena_ + offsets[size_t(body[i].inputs[k])]);
    }
    call.dst = i + 1 == body.size() ? answers : reinterpret_cast<float*>(arena_ + offsets[size_t(body[i].output)]);
    MOEFB_TRY(state_.body_[i]->run(call, threads_));
  }
  return {};
}

void Dispatcher::start_token(int64_t t) noexcept {
  const int64_t line = tokens_.patch() * out_channels_;
  if (op_.moe().residual) {
    tokens_.copy_to_output(src_, t, dst_);
    return;
  }
  for (int64_t y = 0; y < tokens_.patch(); ++y) {
    float* dst = tokens_.output_line(dst_, t, y, out_channels_);
    std::fill(dst, dst + line, 0.0f);
  }
}

void Dispatcher::start_output() noexcept {
  threads_.parallel_for(T_, kTokenGrain, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) start_token(t);
  });
}

void Dispatcher::add_answer(int64_t t, float weight, const float* answer) noexcept {
  const int64_t line = tokens_.patch() * out_channels_;
  const float gamma = op_.gamma();
  for (int64_t y = 0; y < tokens_.patch(); ++y) {
    float* dst = tokens_.output_line(dst_, t, y, out_channels_);
    const float* src = answer + y * line;
    for (int64_t i = 0; i < line; ++i) dst[i] += gamma * (weight * src[i]);
  }
}

void Dispatcher::gather_route(int64_t route, int64_t row) noexcept {
  tokens_.gather(src_, route / sizes_.K, token_rows() + row * sizes_.token_elements);
}

Status Dispatcher::grouped() noexcept {
  const int64_t K = sizes_.K;
  kernels::routing::sort_by_expert(a_.chosen, T_ * K, sizes_.E, a_.offsets, a_.order);
  for (int64_t i = 0; i < a_.offsets[sizes_.E]; ++i) a_.position[a_.order[i]] = int32_t(i);

  for (int64_t e = 0; e < sizes_.E; ++e) {
    const int64_t first = a_.offsets[e], rows = a_.offsets[e + 1] - first;
    threads_.parallel_for(rows, kTokenGrain, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) gather_route(a_.order[first + row], row);
    });
    MOEFB_TRY(run_body(e, rows, a_.answers + first * sizes_.out_elements));
  }

  threads_.parallel_for(T_, kTokenGrain, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) {
      start_token(t);
      // Rows lie in expert order, so the next expert of a token is the one with the next higher position.
      for (int64_t done = -1, k = 0; k < K; ++k) {
        int64_t next = -1;
        for (int64_t r = t * K; r < (t + 1) * K; ++r) {
          if (a_.chosen[r] >= 0 && a_.position[r] > done && (next < 0 || a_.position[r] < a_.position[next])) next = r;
        }
        if (next < 0) break;
        done = a_.position[next];
        add_answer(t, a_.weight[next], a_.answers + done * sizes_.out_elements);
      }
    }
  });
  return {};
}

Status Dispatcher::naive() noexcept {
  start_output();
  for (int64_t e = 0; e < sizes_.E; ++e) {
    int64_t rows = 0;
    for (int64_t route = 0; route < T_ * sizes_.K; ++route) {  // the mask: every expert looks at every route
      if (a_.chosen[route] != e) continue;
      a_.order[rows] = int32_t(route);
      gather_route(route, rows++);
    }
    MOEFB_TRY(run_body(e, rows, a_.answers));
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t route = a_.order[row];
      add_answer(route / sizes_.K, a_.weight[route], a_.answers + row * sizes_.out_elements);
    }
  }
  return {};
}

Status Dispatcher::all() noexcept {
  start_output();
  threads_.parallel_for(T_, kTokenGrain, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) tokens_.gather(src_, t, token_rows() + t * sizes_.token_elements);
  });
  for (int64_t e = 0; e < sizes_.E; ++e) {
    MOEFB_TRY(run_body(e, T_, a_.answers));
    threads_.parallel_for(T_, kTokenGrain, [&](int64_t begin, int64_t end) {
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
