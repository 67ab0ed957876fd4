// 3x3 convolutions of zero-padded 2x2 tokens as matrix products through oneDNN's sgemm.
//
//   src  (n, 2, 2, I)
//   dst  (n, 2, 2, O)
//
// Of the 36 taps 16 meet a pixel, and just these are computed: each kernel position is a product of some pixels of all
// tokens with its (I, O) weights. oneDNN's convolution takes twice the time from four tokens on (512 channels on one
// core of an EPYC with AVX-512: 8.0 ms instead of 4.0 for 49 tokens, 2.6 instead of 1.3 for 13).
//
// Weights lie in panels of some output channels as in onednn_linear.cpp, each (3, 3, I, columns).
#include <algorithm>

#include "cpu/first_failure.h"
#include "cpu/onednn.h"
#include "cpu/op.h"
#include "cpu/split.h"
#include "cpu/weights.h"
#include "kernels/reference/kernels.h"

namespace moefb::cpu {
namespace {

constexpr int64_t kPixels = 4, kTaps = 9;
constexpr int64_t kPanelColumns = 48;   // as for linear layers
constexpr int64_t kNarrowColumns = 64;  // up to here one panel
constexpr int64_t kMostTokens = 64;     // at once: their input stays in the L2 cache while all panels pass over it

/// A kernel position on those of its pixels that lie `step` apart: pixels src, src + step, ... (`each` of them a token)
/// go into dst, dst + step, ...
struct Product {
  int64_t tap, each, step, src, dst;
};
constexpr Product kProducts[] = {{4, 4, 1, 0, 0},                                    // the middle, on every pixel
                                 {5, 2, 2, 1, 0}, {3, 2, 2, 0, 1},                   // right, left
                                 {7, 1, 4, 2, 0}, {7, 1, 4, 3, 1},                   // below
                                 {1, 1, 4, 0, 2}, {1, 1, 4, 1, 3},                   // above
                                 {8, 1, 4, 3, 0}, {6, 1, 4, 2, 1}, {2, 1, 4, 1, 2},  // corners
                                 {0, 1, 4, 0, 3}};

class Conv2x2 final : public Op {
 public:
  explicit Conv2x2(const OpSpec& spec) noexcept
      : in_(spec.input().c),
        out_(spec.output().c),
        panel_(out_ <= kNarrowColumns ? out_ : kPanelColumns),
        activation_(to_kernel(spec.node.activation)),
        has_residual_(spec.node.inputs.size() > 1) {}

  Status pack(const OpSpec& spec) noexcept {
    const graph::Tensor& weight = *spec.tensor(spec.node.weight);
    weights_ = allocate<float>(spec.experts * weight_elements());
    const Buffer<float> one = allocate<float>(weight_elements());
    if (weights_ == nullptr || one == nullptr) return Status(Code::kOutOfMemory, "no memory for packed weights");
    for (int64_t e = 0; e < spec.experts; ++e) {
      expert_to_f32(weight, e, one.get());
      for (int64_t first = 0; first < out_; first += panel_) {
        kernels::reference::pack_conv2d(one.get() + first * in_ * kTaps, std::min(panel_, out_ - first), in_, 3, 3,
                                        weights_.get() + e * weight_elements() + first * in_ * kTaps);
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
    explicit State(const Conv2x2& op) noexcept : op_(op) {}
    Status run(const OpCall& call, ThreadPool& threads) noexcept override { return op_.run(call, threads); }
    bool reentrant() const noexcept override { return true; }
    int64_t tile_rows(int64_t rows, int threads) const noexcept override {
      return even_part(rows, threads, kMostTokens);
    }

   private:
    const Conv2x2& op_;
  };

  Status run(const OpCall& call, ThreadPool& threads) const noexcept {
    const Split split(call.n, out_, panel_, call.n * 16 * in_ * out_, threads.threads());
    FirstFailure failure;
    threads.for_each(call.n == 0 ? 0 : split.parts(), [&](int64_t i) { failure.note(run_block(call, split.part(i))); });
    return failure.status();
  }

  /// @param b  its rows are tokens
  Status run_block(const OpCall& call, const Block& b) const noexcept {
    const OpenMpThreads alone(1);
    for (int64_t first = b.row; first < b.row + b.rows; first += kMostTokens) {
      const int64_t tokens = std::min(kMostTokens, b.row + b.rows - first);
      for (int64_t column = b.column; column < b.column + b.columns; column += panel_) {
        MOEFB_TRY(run_panel(call, first, tokens, column));
      }
    }
    return {};
  }

  /// Some tokens, the output channels of the panel that begins at `column`.
  Status run_panel(const OpCall& call, int64_t first, int64_t tokens, int64_t column) const noexcept {
    const int64_t columns = std::min(panel_, out_ - column), at = first * kPixels * out_ + column;
    const float* weights = weights_.get() + call.expert * weight_elements() + column * in_ * kTaps;
    const float* src = call.srcs[0] + first * kPixels * in_;
    float* dst = call.dst + at;
    for (const Product& p : kProducts) {
      const float beta = p.tap == kProducts[0].tap ? 0.0f : 1.0f;  // the first writes every pixel
      MOEFB_TRY(
          from_dnnl(dnnl_sgemm('N', 'N', tokens * p.each, columns, in_, 1.0f, src + p.src * in_, p.step * in_,
                               weights + p.tap * in_ * columns, columns, beta, dst + p.dst * out_, p.step * out_)));
    }
    const float* bias = bias_ == nullptr ? nullptr : bias_.get() + call.expert * out_ + column;
    const float* residual = has_residual_ ? call.srcs[1] + at : nullptr;
    kernels::reference::finish_rows(bias, residual, activation_, tokens * kPixels, columns, out_, dst);
    return {};
  }

  int64_t weight_elements() const noexcept { return out_ * in_ * kTaps; }

  int64_t in_, out_, panel_;
  kernels::Activation activation_;
  bool has_residual_;
  Buffer<float> weights_;  ///< per expert its panels, each (3, 3, I, columns)
  Buffer<float> bias_;     ///< per expert (O); may be null
};

}  // namespace

bool is_conv2x2(const OpSpec& spec) noexcept {
  const graph::Node& node = spec.node;
  const graph::Extent in = spec.input();
  return in.h == 2 && in.w == 2 && node.kernel_h == 3 && node.kernel_w == 3 && node.stride == 1 && node.padding == 1;
}

Result<std::unique_ptr<Op>> make_onednn_conv2x2(const OpSpec& spec) noexcept {
  std::unique_ptr<Conv2x2> op(new (std::nothrow) Conv2x2(spec));
  if (op == nullptr) return Status(Code::kOutOfMemory, "no memory");
  MOEFB_TRY(op->pack(spec));
  return std::unique_ptr<Op>(std::move(op));
}

}  // namespace moefb::cpu
