// Every op through kernels/reference: the implementation that always exists.
#include <algorithm>

#include "cpu/split.h"
#include "cpu/stateless_op.h"
#include "cpu/weights.h"
#include "kernels/reference/kernels.h"

namespace moefb::cpu {
namespace {

namespace reference = kernels::reference;

kernels::Window window(const OpSpec& spec) noexcept {
  const graph::Extent in = spec.input(), out = spec.output();
  kernels::Window w;
  w.h = in.h, w.w = in.w, w.c = in.c;
  w.oh = out.h, w.ow = out.w, w.o = out.c;
  if (spec.node.op != graph::Op::kLinear) {
    w.kh = spec.node.kernel_h, w.kw = spec.node.kernel_w;
    w.stride = spec.node.stride, w.padding = spec.node.padding;
  }
  return w;
}

/// Convolutions and linear layers.
class Products final : public StatelessOp<Products> {
 public:
  explicit Products(const OpSpec& spec) noexcept
      : window_(window(spec)),
        activation_(to_kernel(spec.node.activation)),
        has_residual_(spec.node.inputs.size() > 1) {}

  static int64_t tile_rows(int64_t rows, int threads) noexcept { return products_tile_rows(rows, threads); }

  Status pack(const OpSpec& spec) noexcept {
    const graph::Tensor& weight = *spec.tensor(spec.node.weight);
    weight_elements_ = weight.shape.elements();
    weights_ = allocate<float>(weight_elements_ * spec.experts);
    const Buffer<float> one = allocate<float>(weight_elements_);
    if (weights_ == nullptr || one == nullptr) return Status(Code::kOutOfMemory, "no memory for packed weights");
    for (int64_t e = 0; e < spec.experts; ++e) {
      expert_to_f32(weight, e, one.get());
      reference::pack_conv2d(one.get(), window_.o, window_.c, window_.kh, window_.kw,
                             weights_.get() + e * weight_elements_);
    }
    return load_f32(spec.graph, spec.node.bias, bias_);
  }

  void run(const OpCall& call, ThreadPool& threads) const noexcept {
    const float* weights = weights_.get() + call.expert * weight_elements_;
    const float* bias = bias_ == nullptr ? nullptr : bias_.get() + call.expert * window_.o;
    const float* residual = has_residual_ ? call.srcs[1] : nullptr;
    const int64_t row_products = std::max<int64_t>(1, window_.ow * window_.o * window_.kh * window_.kw * window_.c);
    threads.parallel_for(call.n * window_.oh, 1 + kGrainProducts / row_products, [&](int64_t begin, int64_t end) {
      reference::conv2d(window_, call.srcs[0], weights, bias, residual, activation_, begin, end, call.dst);
    });
  }

 private:
  static constexpr int64_t kGrainProducts = 100'000;  // some 20 us: worth a hand-off

  kernels::Window window_;
  kernels::Activation activation_;
  bool has_residual_;
  int64_t weight_elements_ = 0;
  Buffer<float> weights_;  ///< per expert (KH, KW, I, O)
  Buffer<float> bias_;     ///< per expert (O); may be null
};

class MaxPool final : public StatelessOp<MaxPool> {
 public:
  explicit MaxPool(const OpSpec& spec) noexcept : window_(window(spec)) {}
  void run(const OpCall& call, ThreadPool& threads) const noexcept {
    const int64_t row_elements = window_.ow * window_.c * window_.kh * window_.kw;
    threads.parallel_for(call.n * window_.oh, least_units(row_elements), [&](int64_t begin, int64_t end) {
      reference::max_pool(window_, call.srcs[0], begin, end, call.dst);
    });
  }

 private:
  kernels::Window window_;
};

class GlobalAveragePool final : public StatelessOp<GlobalAveragePool> {
 public:
  explicit GlobalAveragePool(const OpSpec& spec) noexcept : in_(spec.input()) {}
  void run(const OpCall& call, ThreadPool& threads) const noexcept {
    threads.parallel_for(call.n, least_units(in_.elements()), [&](int64_t begin, int64_t end) {
      reference::global_average_pool(call.srcs[0], in_.h * in_.w, in_.c, begin, end, call.dst);
    });
  }

 private:
  graph::Extent in_;
};

class GroupNorm final : public StatelessOp<GroupNorm> {
 public:
  explicit GroupNorm(const OpSpec& spec) noexcept
      : in_(spec.input()),
        groups_(spec.node.groups),
        eps_(spec.node.eps),
        activation_(to_kernel(spec.node.activation)) {}

  Status pack(const OpSpec& spec) noexcept {
    MOEFB_TRY(load_f32(spec.graph, spec.node.weight, weight_));
    return load_f32(spec.graph, spec.node.bias, bias_);
  }

  void run(const OpCall& call, ThreadPool& threads) const noexcept {
    const float* weight = weight_.get() + call.expert * in_.c;
    const float* bias = bias_.get() + call.expert * in_.c;
    threads.parallel_for(call.n, least_units(in_.elements()), [&](int64_t begin, int64_t end) {
      reference::group_norm(call.srcs[0], in_.h * in_.w, in_.c, groups_, eps_, weight, bias, activation_, begin, end,
                            call.dst);
    });
  }

 private:
  graph::Extent in_;
  int64_t groups_;
  float eps_;
  kernels::Activation activation_;
  Buffer<float> weight_;  ///< per expert (C)
  Buffer<float> bias_;
};

class Add final : public StatelessOp<Add> {
 public:
  explicit Add(const OpSpec& spec) noexcept
      : elements_(spec.output().elements()),
        inputs_(int(spec.node.inputs.size())),
        activation_(to_kernel(spec.node.activation)) {}
  void run(const OpCall& call, ThreadPool& threads) const noexcept {
    threads.parallel_for(call.n * elements_, kPartElements, [&](int64_t begin, int64_t end) {
      reference::add(call.srcs, inputs_, activation_, begin, end, call.dst);
    });
  }

 private:
  int64_t elements_;
  int inputs_;
  kernels::Activation activation_;
};

template <typename T>
Result<std::unique_ptr<Op>> make(const OpSpec& spec) noexcept {
  std::unique_ptr<T> op(new (std::nothrow) T(spec));
  if (op == nullptr) return Status(Code::kOutOfMemory, "no memory");
  if constexpr (requires { op->pack(spec); }) {
    if (Status status = op->pack(spec); !status.ok()) return status;
  }
  return std::unique_ptr<Op>(std::move(op));
}

}  // namespace

Result<std::unique_ptr<Op>> make_reference_op(const OpSpec& spec) noexcept {
  if (spec.sum != nullptr) return std::unique_ptr<Op>();
  switch (spec.node.op) {
    case graph::Op::kConv2d:
    case graph::Op::kLinear:
      return make<Products>(spec);
    case graph::Op::kMaxPool:
      return make<MaxPool>(spec);
    case graph::Op::kGlobalAveragePool:
      return make<GlobalAveragePool>(spec);
    case graph::Op::kGroupNorm:
      return make<GroupNorm>(spec);
    case graph::Op::kAdd:
      return make<Add>(spec);
  }
  return Status(Code::kUnsupported, "an op that the reference kernels do not know");
}

}  // namespace moefb::cpu
