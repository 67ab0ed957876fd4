// Convolutions through oneDNN primitives: weights packed once per model, ReLU, SiLU and the residual as post-ops.
//
// A primitive is made for one batch size and one thread count, so each executor makes its own, for batches of 1, 2, 4,
// ... up to the largest; any n runs as a sum of those. Experts share the primitives: only the weights differ.
// dnnl_primitive_execute allocates on every call (oneDNN builds an argument map): its share, published apart from ours.
#include <algorithm>
#include <vector>

#include "cpu/onednn.h"
#include "cpu/op.h"
#include "cpu/weights.h"
#include "plan/arena.h"

namespace moefb::cpu {
namespace {

/// Everything that describes the convolution for one n.
struct Shape2d {
  graph::Extent in, out;
  int kernel_h, kernel_w, stride, padding;
  graph::Activation activation;
  bool has_bias, has_residual;
};

Status make_desc(DnnlMemoryDesc& desc, std::initializer_list<int64_t> extents, dnnl_format_tag_t tag) noexcept {
  dnnl_dims_t dims;
  std::copy(extents.begin(), extents.end(), dims);
  return from_dnnl(dnnl_memory_desc_create_with_tag(desc.out(), int(extents.size()), dims, dnnl_f32, tag));
}

Status make_attr(const Shape2d& s, dnnl_memory_desc_t dst, DnnlAttr& attr) noexcept {
  MOEFB_TRY(from_dnnl(dnnl_primitive_attr_create(attr.out())));
  MOEFB_TRY(from_dnnl(dnnl_primitive_attr_set_scratchpad_mode(attr.get(), dnnl_scratchpad_mode_user)));
  DnnlPostOps ops;
  MOEFB_TRY(from_dnnl(dnnl_post_ops_create(ops.out())));
  if (s.has_residual) MOEFB_TRY(from_dnnl(dnnl_post_ops_append_binary(ops.get(), dnnl_binary_add, dst)));
  if (s.activation == graph::Activation::kRelu) {
    MOEFB_TRY(from_dnnl(dnnl_post_ops_append_eltwise(ops.get(), dnnl_eltwise_relu, 0, 0)));
  } else if (s.activation == graph::Activation::kSilu) {
    MOEFB_TRY(from_dnnl(dnnl_post_ops_append_eltwise(ops.get(), dnnl_eltwise_swish, 1, 0)));
  }
  return from_dnnl(dnnl_primitive_attr_set_post_ops(attr.get(), ops.get()));
}

/// The primitive for a batch of n. @param weights  their layout; null lets oneDNN choose it
Status make_primitive_desc(const Shape2d& s, dnnl_engine_t engine, int64_t n, const_dnnl_memory_desc_t weights,
                           DnnlPrimitiveDesc& made) noexcept {
  DnnlMemoryDesc src, dst, any, bias;
  MOEFB_TRY(make_desc(src, {n, s.in.c, s.in.h, s.in.w}, dnnl_nhwc));
  MOEFB_TRY(make_desc(dst, {n, s.out.c, s.out.h, s.out.w}, dnnl_nhwc));
  MOEFB_TRY(make_desc(any, {s.out.c, s.in.c, s.kernel_h, s.kernel_w}, dnnl_format_tag_any));
  if (s.has_bias) MOEFB_TRY(make_desc(bias, {s.out.c}, dnnl_x));
  DnnlAttr attr;
  MOEFB_TRY(make_attr(s, dst.get(), attr));
  const dnnl_dims_t strides = {s.stride, s.stride}, dilates = {0, 0}, before = {s.padding, s.padding};
  // Behind the map only as much padding as the last output needs.
  const dnnl_dims_t after = {(s.out.h - 1) * s.stride + s.kernel_h - s.in.h - s.padding,
                             (s.out.w - 1) * s.stride + s.kernel_w - s.in.w - s.padding};
  return from_dnnl(dnnl_convolution_forward_primitive_desc_create(
      made.out(), engine, dnnl_forward_inference, dnnl_convolution_direct, src.get(),
      weights != nullptr ? weights : any.get(), bias.get(), dst.get(), strides, dilates, before, after, attr.get()));
}

class Conv2d;

/// One executor's primitives.
class Conv2dState final : public OpState {
 public:
  static Result<std::unique_ptr<OpState>> make(const Conv2d& op, int threads, int64_t max_n) noexcept;
  Status run(const OpCall& call, ThreadPool&) noexcept override;

 private:
  /// Runs exactly n images, a power of two.
  struct Chunk {
    int64_t n = 0;
    DnnlPrimitive primitive;
    DnnlMemory src, weights, bias, residual, dst, scratchpad;
  };

  Conv2dState(const Conv2d& op, int threads) noexcept : op_(op), threads_(threads) {}
  Status add_chunk(int64_t n) noexcept;
  Status execute(Chunk& chunk, const OpCall& call, int64_t first) noexcept;

  const Conv2d& op_;
  int threads_;  ///< fixed when a primitive is made; OpenMP must be told again when it runs
  DnnlStream stream_;
  std::vector<Chunk> chunks_;  ///< largest first
  Buffer<std::byte> scratch_;  ///< one for all chunks: they run one after another
  size_t scratch_bytes_ = 0;
};

/// A model's packed weights.
class Conv2d final : public Op {
 public:
  static Result<std::unique_ptr<Op>> make(const OpSpec& spec) noexcept {
    std::unique_ptr<Conv2d> op(new (std::nothrow) Conv2d(spec));
    if (op == nullptr) return Status(Code::kOutOfMemory, "no memory");
    MOEFB_TRY(op->pack(spec));
    return std::unique_ptr<Op>(std::move(op));
  }

  Result<std::unique_ptr<OpState>> make_state(int threads, int64_t max_n) const noexcept override {
    return Conv2dState::make(*this, threads, max_n);
  }

  const Shape2d& shape() const noexcept { return shape_; }
  dnnl_engine_t engine() const noexcept { return engine_.get(); }
  const_dnnl_memory_desc_t weights_desc() const noexcept { return weights_desc_.get(); }
  std::byte* weights(int64_t expert) const noexcept { return weights_.get() + expert * weights_stride_; }
  float* bias(int64_t expert) const noexcept { return bias_.get() + expert * shape_.out.c; }

 private:
  explicit Conv2d(const OpSpec& spec) noexcept
      : shape_{spec.input(),         spec.output(),       spec.node.kernel_h,
               spec.node.kernel_w,   spec.node.stride,    spec.node.padding,
               spec.node.activation, spec.node.bias >= 0, spec.node.inputs.size() > 1} {}

  Status choose_layout(int64_t max_n) noexcept {
    DnnlPrimitiveDesc best;
    MOEFB_TRY(make_primitive_desc(shape_, engine_.get(), max_n, nullptr, best));
    return from_dnnl(dnnl_memory_desc_clone(weights_desc_.out(),
                                            dnnl_primitive_desc_query_md(best.get(), dnnl_query_weights_md, 0)));
  }

  /// Reorders every expert's weights from (O, I, KH, KW) to the chosen layout.
  Status pack(const OpSpec& spec) noexcept {
    MOEFB_TRY(from_dnnl(dnnl_engine_create(engine_.out(), dnnl_cpu, 0)));
    MOEFB_TRY(choose_layout(spec.max_n));
    const graph::Tensor& weight = *spec.tensor(spec.node.weight);
    weights_stride_ = plan::align_up(int64_t(dnnl_memory_desc_get_size(weights_desc_.get())));
    weights_ = allocate<std::byte>(weights_stride_ * spec.experts);
    const Buffer<float> plain = allocate<float>(weight.shape.elements());
    if (weights_ == nullptr || plain == nullptr) return Status(Code::kOutOfMemory, "no memory for packed weights");

    DnnlMemoryDesc plain_desc;
    MOEFB_TRY(make_desc(plain_desc, {shape_.out.c, shape_.in.c, shape_.kernel_h, shape_.kernel_w}, dnnl_oihw));
    DnnlPrimitiveDesc reorder_desc;
    MOEFB_TRY(from_dnnl(dnnl_reorder_primitive_desc_create(reorder_desc.out(), plain_desc.get(), engine_.get(),
                                                           weights_desc_.get(), engine_.get(), nullptr)));
    DnnlPrimitive reorder;
    MOEFB_TRY(from_dnnl(dnnl_primitive_create(reorder.out(), reorder_desc.get())));
    DnnlStream stream;
    MOEFB_TRY(from_dnnl(dnnl_stream_create(stream.out(), engine_.get(), dnnl_stream_default_flags)));
    for (int64_t e = 0; e < spec.experts; ++e) {
      expert_to_f32(weight, e, plain.get());
      DnnlMemory src, dst;
      MOEFB_TRY(from_dnnl(dnnl_memory_create(src.out(), plain_desc.get(), engine_.get(), plain.get())));
      MOEFB_TRY(from_dnnl(dnnl_memory_create(dst.out(), weights_desc_.get(), engine_.get(), weights(e))));
      const dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, src.get()}, {DNNL_ARG_TO, dst.get()}};
      MOEFB_TRY(from_dnnl(dnnl_primitive_execute(reorder.get(), stream.get(), 2, args)));
      MOEFB_TRY(from_dnnl(dnnl_stream_wait(stream.get())));
    }
    if (shape_.has_bias) {
      auto values = to_f32(*spec.tensor(spec.node.bias));
      MOEFB_TRY(values.status());
      bias_ = std::move(*values);
    }
    return {};
  }

  Shape2d shape_;
  DnnlEngine engine_;
  DnnlMemoryDesc weights_desc_;
  Buffer<std::byte> weights_;
  int64_t weights_stride_ = 0;
  Buffer<float> bias_;
};

Result<std::unique_ptr<OpState>> Conv2dState::make(const Conv2d& op, int threads, int64_t max_n) noexcept {
  std::unique_ptr<Conv2dState> state(new (std::nothrow) Conv2dState(op, threads));
  if (state == nullptr) return Status(Code::kOutOfMemory, "no memory");
  const OpenMpThreads scope(threads);
  MOEFB_TRY(from_dnnl(dnnl_stream_create(state->stream_.out(), op.engine(), dnnl_stream_default_flags)));
  int64_t n = 1;
  while (n * 2 <= max_n) n *= 2;
  for (; n >= 1; n /= 2) MOEFB_TRY(state->add_chunk(n));
  state->scratch_ = allocate<std::byte>(int64_t(state->scratch_bytes_));
  if (state->scratch_ == nullptr) return Status(Code::kOutOfMemory, "no memory for oneDNN's scratchpad");
  for (Chunk& chunk : state->chunks_) {
    MOEFB_TRY(from_dnnl(dnnl_memory_set_data_handle(chunk.scratchpad.get(), state->scratch_.get())));
  }
  return std::unique_ptr<OpState>(std::move(state));
}

Status Conv2dState::add_chunk(int64_t n) noexcept {
  const Shape2d& s = op_.shape();
  DnnlPrimitiveDesc desc;
  MOEFB_TRY(make_primitive_desc(s, op_.engine(), n, op_.weights_desc(), desc));
  Chunk chunk;
  chunk.n = n;
  MOEFB_TRY(from_dnnl(dnnl_primitive_create(chunk.primitive.out(), desc.get())));
  const auto memory = [&](dnnl_query_t what, DnnlMemory& made) {
    return from_dnnl(dnnl_memory_create(made.out(), dnnl_primitive_desc_query_md(desc.get(), what, 0), op_.engine(),
                                        DNNL_MEMORY_NONE));
  };
  MOEFB_TRY(memory(dnnl_query_src_md, chunk.src));
  MOEFB_TRY(memory(dnnl_query_weights_md, chunk.weights));
  MOEFB_TRY(memory(dnnl_query_dst_md, chunk.dst));
  MOEFB_TRY(memory(dnnl_query_scratchpad_md, chunk.scratchpad));
  if (s.has_residual) MOEFB_TRY(memory(dnnl_query_dst_md, chunk.residual));
  if (s.has_bias) {
    DnnlMemoryDesc bias;
    MOEFB_TRY(make_desc(bias, {s.out.c}, dnnl_x));
    MOEFB_TRY(from_dnnl(dnnl_memory_create(chunk.bias.out(), bias.get(), op_.engine(), DNNL_MEMORY_NONE)));
  }
  const size_t scratch =
      dnnl_memory_desc_get_size(dnnl_primitive_desc_query_md(desc.get(), dnnl_query_scratchpad_md, 0));
  scratch_bytes_ = std::max(scratch_bytes_, scratch);
  chunks_.push_back(std::move(chunk));
  return {};
}

Status Conv2dState::execute(Chunk& chunk, const OpCall& call, int64_t first) noexcept {
  const Shape2d& s = op_.shape();
  const auto point = [](const DnnlMemory& memory, const void* data) {
    return from_dnnl(dnnl_memory_set_data_handle(memory.get(), const_cast<void*>(data)));
  };
  MOEFB_TRY(point(chunk.src, call.srcs[0] + first * s.in.elements()));
  MOEFB_TRY(point(chunk.weights, op_.weights(call.expert)));
  MOEFB_TRY(point(chunk.dst, call.dst + first * s.out.elements()));
  dnnl_exec_arg_t args[6] = {{DNNL_ARG_SRC, chunk.src.get()},
                             {DNNL_ARG_WEIGHTS, chunk.weights.get()},
                             {DNNL_ARG_DST, chunk.dst.get()},
                             {DNNL_ARG_SCRATCHPAD, chunk.scratchpad.get()}};
  int count = 4;
  if (s.has_bias) {
    MOEFB_TRY(point(chunk.bias, op_.bias(call.expert)));
    args[count++] = {DNNL_ARG_BIAS, chunk.bias.get()};
  }
  if (s.has_residual) {
    MOEFB_TRY(point(chunk.residual, call.srcs[1] + first * s.out.elements()));
    args[count++] = {DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1, chunk.residual.get()};
  }
  MOEFB_TRY(from_dnnl(dnnl_primitive_execute(chunk.primitive.get(), stream_.get(), count, args)));
  return from_dnnl(dnnl_stream_wait(stream_.get()));
}

Status Conv2dState::run(const OpCall& call, ThreadPool&) noexcept {
  const OpenMpThreads scope(threads_);
  int64_t first = 0;
  for (Chunk& chunk : chunks_) {
    for (; call.n - first >= chunk.n; first += chunk.n) MOEFB_TRY(execute(chunk, call, first));
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Op>> make_onednn_conv2d(const OpSpec& spec) noexcept {
  return Conv2d::make(spec);
}

}  // namespace moefb::cpu
