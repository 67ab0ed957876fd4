// Linear layers through oneDNN's sgemm, any number of rows with one piece of code.
//
// Weights are packed in panels of some output columns, each (I, columns): oneDNN's kernels read them in place that way,
// and from the first byte to the last. As stored, (O, I), every call of 16 rows or more first copies all of them (512 x
// 64 weights, 16 rows: 55 us instead of 10); as one (I, O) matrix, a kernel jumps from row to row, which costs half the
// bandwidth where few rows meet weights that are in no cache (512 x 256, 8 rows: 63 us instead of 36).
//
// Our own pool shares the work, and each part is sgemms on one thread: parts of one product, or the products of
// several experts at once (dispatch.cpp), never meet OpenMP's threads.
#include <algorithm>
#include <atomic>

#include "cpu/onednn.h"
#include "cpu/op.h"
#include "cpu/split.h"
#include "cpu/weights.h"
#include "kernels/reference/kernels.h"

namespace moefb::cpu {
namespace {

constexpr int64_t kPanelColumns = 48;        // what oneDNN's kernels for AVX-512 compute at a time
constexpr int64_t kNarrowColumns = 64;       // up to here one panel: a second call would cost more than it saves
constexpr int64_t kBlockElements = 131'072;  // of the input: half an L2 cache, while all panels pass over it

class Linear final : public Op {
 public:
  explicit Linear(const OpSpec& spec) noexcept
      : in_(spec.input().elements()),
        out_(spec.output().elements()),
        panel_(out_ <= kNarrowColumns ? out_ : kPanelColumns),
        activation_(to_kernel(spec.node.activation)),
        has_residual_(spec.node.inputs.size() > 1) {}

  Status pack(const OpSpec& spec) noexcept {
    const graph::Tensor& weight = *spec.tensor(spec.node.weight);
    weights_ = allocate<float>(spec.experts * out_ * in_);
    const Buffer<float> one = allocate<float>(out_ * in_);
    if (weights_ == nullptr || one == nullptr) return Status(Code::kOutOfMemory, "no memory for packed weights");
    for (int64_t e = 0; e < spec.experts; ++e) {
      expert_to_f32(weight, e, one.get());
      for (int64_t first = 0; first < out_; first += panel_) {
        kernels::reference::pack_conv2d(one.get() + first * in_, std::min(panel_, out_ - first), in_, 1, 1,
                                        weights_.get() + (e * out_ + first) * in_);
      }
    }
    return load_f32(spec.graph, spec.node.bias, bias_);
  }

  Result<std::unique_ptr<OpState>> make_state(int, int64_t) const noexcept override {
    return make_new<OpState, State>(*this);
  }

 private:
  class State final : public OpState {
   public:
    explicit State(const Linear& op) noexcept : op_(op) {}
    Status run(const OpCall& call, ThreadPool& threads) noexcept override { return op_.run(call, threads); }
    bool reentrant() const noexcept override { return true; }
    int64_t tile_rows(int64_t rows, int threads) const noexcept override { return products_tile_rows(rows, threads); }

   private:
    const Linear& op_;
  };

  Status run(const OpCall& call, ThreadPool& threads) const noexcept {
    const Split split(call.n, out_, panel_, call.n * in_ * out_, threads.threads());
    std::atomic<dnnl_status_t> failure{dnnl_success};
    threads.for_each(split.parts(), [&](int64_t i) {
      const dnnl_status_t status = run_block(call, split.part(i));
      if (status != dnnl_success) failure.store(status, std::memory_order_relaxed);
    });
    return from_dnnl(failure.load(std::memory_order_relaxed));
  }

  dnnl_status_t run_block(const OpCall& call, const Block& b) const noexcept {
    const OpenMpThreads alone(1);
    const int64_t most_rows = std::max(kPartRows, kBlockElements / in_);
    for (int64_t row = b.row; row < b.row + b.rows; row += most_rows) {
      const int64_t rows = std::min(most_rows, b.row + b.rows - row);
      for (int64_t column = b.column; column < b.column + b.columns; column += panel_) {
        const dnnl_status_t status = run_panel(call, row, rows, column);
        if (status != dnnl_success) return status;
      }
    }
    return dnnl_success;
  }

  /// Some rows of the panel that begins at `column`.
  dnnl_status_t run_panel(const OpCall& call, int64_t row, int64_t rows, int64_t column) const noexcept {
    const int64_t columns = std::min(panel_, out_ - column), at = row * out_ + column;
    const float* weights = weights_.get() + (call.expert * out_ + column) * in_;
    float* dst = call.dst + at;
    const dnnl_status_t status = dnnl_sgemm('N', 'N', rows, columns, in_, 1.0f, call.srcs[0] + row * in_, in_, weights,
                                            columns, 0.0f, dst, out_);
    if (status != dnnl_success) return status;
    const float* bias = bias_ == nullptr ? nullptr : bias_.get() + call.expert * out_ + column;
    const float* residual = has_residual_ ? call.srcs[1] + at : nullptr;
    kernels::reference::finish_rows(bias, residual, activation_, rows, columns, out_, dst);
    return dnnl_success;
  }

  int64_t in_, out_, panel_;
  kernels::Activation activation_;
  bool has_residual_;
  Buffer<float> weights_;  ///< per expert its panels, each (I, columns)
  Buffer<float> bias_;     ///< per expert (O); may be null
};

}  // namespace

Result<std::unique_ptr<Op>> make_onednn_linear(const OpSpec& spec) noexcept {
  std::unique_ptr<Linear> op(new (std::nothrow) Linear(spec));
  if (op == nullptr) return Status(Code::kOutOfMemory, "no memory");
  MOEFB_TRY(op->pack(spec));
  return std::unique_ptr<Op>(std::move(op));
}

}  // namespace moefb::cpu
