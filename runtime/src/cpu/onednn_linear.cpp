// Linear layers through oneDNN's sgemm, any number of rows with one piece of code.
//
// Our own pool shares the work, and each part is sgemms on one thread: parts of one product, or the products of
// several experts at once (dispatch.cpp), never meet OpenMP's threads.
#include <algorithm>

#include "cpu/first_failure.h"
#include "cpu/onednn.h"
#include "cpu/onednn_panels.h"
#include "cpu/split.h"
#include "cpu/stateless_op.h"
#include "kernels/reference/kernels.h"

namespace moefb::cpu {
namespace {

constexpr int64_t kBlockElements = 131'072;  // of the input: half an L2 cache, while all panels pass over it

class Linear final : public StatelessOp<Linear> {
 public:
  explicit Linear(const OpSpec& spec) noexcept
      : in_(spec.input().elements()),
        out_(spec.output().elements()),
        panels_(in_, out_),
        activation_(to_kernel(spec.node.activation)),
        has_residual_(spec.node.inputs.size() > 1) {}

  Status pack(const OpSpec& spec) noexcept { return panels_.pack(spec, 1); }

  static int64_t tile_rows(int64_t rows, int threads) noexcept { return products_tile_rows(rows, threads); }

  Status run(const OpCall& call, ThreadPool& threads) const noexcept {
    const Split split(call.n, out_, panels_.width(), call.n * in_ * out_, threads.threads());
    FirstFailure failure;
    threads.for_each(split.parts(), [&](int64_t i) { failure.note(run_block(call, split.part(i))); });
    return failure.status();
  }

 private:
  Status run_block(const OpCall& call, const Block& block) const noexcept {
    const OneOpenMpThread alone;
    return panels_.for_each(
        block, std::max(kPartRows, kBlockElements / in_),
        [&](int64_t row, int64_t rows, int64_t column) noexcept { return run_panel(call, row, rows, column); });
  }

  /// Some rows of the panel that begins at `column`.
  Status run_panel(const OpCall& call, int64_t row, int64_t rows, int64_t column) const noexcept {
    const Panel panel = panels_.at(call.expert, column);
    const int64_t at = row * out_ + column;
    float* dst = call.dst + at;
    MOEFB_TRY(from_dnnl(dnnl_sgemm('N', 'N', rows, panel.columns, in_, 1.0f, call.srcs[0] + row * in_, in_,
                                   panel.weights, panel.columns, 0.0f, dst, out_)));
    const float* residual = has_residual_ ? call.srcs[1] + at : nullptr;
    kernels::reference::finish_rows(panel.bias, residual, activation_, rows, panel.columns, out_, dst);
    return {};
  }

  int64_t in_, out_;
  Panels panels_;
  kernels::Activation activation_;
  bool has_residual_;
};

}  // namespace

Result<std::unique_ptr<Op>> make_onednn_linear(const OpSpec& spec) noexcept {
  std::unique_ptr<Linear> op(new (std::nothrow) Linear(spec));
  if (op == nullptr) return Status(Code::kOutOfMemory, "no memory");
  MOEFB_TRY(op->pack(spec));
  return std::unique_ptr<Op>(std::move(op));
}

}  // namespace moefb::cpu
