// 3x3 convolutions of zero-padded 2x2 tokens as matrix products through oneDNN's sgemm.
//
//   src  (n, 2, 2, I)
//   dst  (n, 2, 2, O)
//
// Of the 36 taps 16 meet a pixel, and just these are computed: each kernel position is a product of some pixels of all
// tokens with its (I, O) weights. oneDNN's convolution takes twice the time from four tokens on (512 channels on one
// core of an EPYC with AVX-512: 8.0 ms instead of 4.0 for 49 tokens, 2.6 instead of 1.3 for 13).
#include <algorithm>

#include "cpu/first_failure.h"
#include "cpu/onednn.h"
#include "cpu/onednn_panels.h"
#include "cpu/split.h"
#include "cpu/stateless_op.h"
#include "kernels/reference/kernels.h"

namespace moefb::cpu {
namespace {

constexpr int64_t kPixels = 4;
constexpr int64_t kMostTokens = 64;  // at once: their input stays in the L2 cache while all panels pass over it

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

class Conv2x2 final : public StatelessOp<Conv2x2> {
 public:
  explicit Conv2x2(const OpSpec& spec) noexcept
      : in_(spec.input().c),
        out_(spec.output().c),
        panels_(in_, out_),
        activation_(to_kernel(spec.node.activation)),
        has_residual_(spec.node.inputs.size() > 1) {}

  Status pack(const OpSpec& spec) noexcept { return panels_.pack(spec, 3); }

  static int64_t tile_rows(int64_t rows, int threads) noexcept { return even_part(rows, threads, kMostTokens); }

  Status run(const OpCall& call, ThreadPool& threads) const noexcept {
    const Split split(call.n, out_, panels_.width(), call.n * 16 * in_ * out_, threads.threads());
    FirstFailure failure;
    threads.for_each(call.n == 0 ? 0 : split.parts(), [&](int64_t i) { failure.note(run_block(call, split.part(i))); });
    return failure.status();
  }

 private:
  /// @param block  its rows are tokens
  Status run_block(const OpCall& call, const Block& block) const noexcept {
    const OneOpenMpThread alone;
    return panels_.for_each(block, kMostTokens, [&](int64_t first, int64_t tokens, int64_t column) noexcept {
      return run_panel(call, first, tokens, column);
    });
  }

  /// Some tokens, the output channels of the panel that begins at `column`.
  Status run_panel(const OpCall& call, int64_t first, int64_t tokens, int64_t column) const noexcept {
    const Panel panel = panels_.at(call.expert, column);
    const int64_t at = first * kPixels * out_ + column;
    const float* src = call.srcs[0] + first * kPixels * in_;
    float* dst = call.dst + at;
    for (const Product& p : kProducts) {
      const float beta = p.tap == kProducts[0].tap ? 0.0f : 1.0f;  // the first writes every pixel
      MOEFB_TRY(from_dnnl(dnnl_sgemm('N', 'N', tokens * p.each, panel.columns, in_, 1.0f, src + p.src * in_,
                                     p.step * in_, panel.weights + p.tap * in_ * panel.columns, panel.columns, beta,
                                     dst + p.dst * out_, p.step * out_)));
    }
    const float* residual = has_residual_ ? call.srcs[1] + at : nullptr;
    kernels::reference::finish_rows(panel.bias, residual, activation_, tokens * kPixels, panel.columns, out_, dst);
    return {};
  }

  int64_t in_, out_;
  Panels panels_;
  kernels::Activation activation_;
  bool has_residual_;
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
