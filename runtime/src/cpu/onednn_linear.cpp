// Linear layers through oneDNN's sgemm: any number of rows with one piece of code, weights (O, I) used as they are
// stored.
#include <algorithm>

#include "cpu/onednn.h"
#include "cpu/op.h"
#include "cpu/weights.h"
#include "kernels/reference/kernels.h"

namespace moefb::cpu {
namespace {

class Linear final : public Op {
 public:
  explicit Linear(const OpSpec& spec) noexcept
      : in_(spec.input().elements()),
        out_(spec.output().elements()),
        activation_(spec.node.activation),
        has_residual_(spec.node.inputs.size() > 1) {}

  Status pack(const OpSpec& spec) noexcept {
    auto weights = to_f32(*spec.tensor(spec.node.weight));
    MOEFB_TRY(weights.status());
    weights_ = std::move(*weights);
    if (const graph::Tensor* bias = spec.tensor(spec.node.bias)) {
      auto values = to_f32(*bias);
      MOEFB_TRY(values.status());
      bias_ = std::move(*values);
    }
    return {};
  }

  Result<std::unique_ptr<OpState>> make_state(int, int64_t) const noexcept override {
    return make_new<OpState, State>(*this);
  }

 private:
  class State final : public OpState {
   public:
    explicit State(const Linear& op) noexcept : op_(op) {}
    Status run(const OpCall& call, ThreadPool&) noexcept override { return op_.run(call); }

   private:
    const Linear& op_;
  };

  Status run(const OpCall& call) const noexcept {
    start(call);
    MOEFB_TRY(from_dnnl(dnnl_sgemm('N', 'T', call.n, out_, in_, 1.0f, call.srcs[0], in_,
                                   weights_.get() + call.expert * in_ * out_, in_, 1.0f, call.dst, out_)));
    if (activation_ != graph::Activation::kNone) {
      const float* srcs[] = {call.dst};
      const auto activation =
          activation_ == graph::Activation::kRelu ? kernels::Activation::kRelu : kernels::Activation::kSilu;
      kernels::reference::add(srcs, 1, activation, 0, call.n * out_, call.dst);
    }
    return {};
  }

  /// dst = bias [+ residual]: what the product is added to.
  void start(const OpCall& call) const noexcept {
    const float* bias = bias_ == nullptr ? nullptr : bias_.get() + call.expert * out_;
    for (int64_t row = 0; row < call.n; ++row) {
      for (int64_t o = 0; o < out_; ++o) {
        const float residual = has_residual_ ? call.srcs[1][row * out_ + o] : 0.0f;
        call.dst[row * out_ + o] = (bias == nullptr ? 0.0f : bias[o]) + residual;
      }
    }
  }

  int64_t in_, out_;
  graph::Activation activation_;
  bool has_residual_;
  Buffer<float> weights_;  ///< per expert (O, I)
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
