// Convolutions through oneDNN primitives: weights packed once per model, ReLU, SiLU and the residual as post-ops.
//
// Every primitive is made for one thread, and our own pool shares the work: images, or tokens, in chunks, and where
// there are fewer images than threads, strips of rows. So nothing here wakes OpenMP's threads, which would spin on the
// cores that ours want, the host's threads are used where it brings some, and several experts can run at once.
//
// A primitive is made for one number of images; any n runs as a sum of those. On one core a chunk of more than 256
// output pixels is no faster per image than a smaller one, so chunks end there. Experts share the primitives: only the
// weights differ.
// dnnl_primitive_execute allocates on every call (oneDNN builds an argument map): its share, published apart from ours.
#include <algorithm>
#include <vector>

#include "cpu/first_failure.h"
#include "cpu/onednn.h"
#include "cpu/onednn_conv_kernel.h"
#include "cpu/op.h"
#include "cpu/slots.h"
#include "cpu/split.h"
#include "cpu/weights.h"
#include "plan/arena.h"

namespace moefb::cpu {
namespace {

constexpr int64_t kChunkPixels = 256;       // of the output
constexpr int64_t kMostChunk = 64;          // images, where they are smaller than 4 pixels
constexpr int64_t kStripPixels = 64;        // fewer outputs a strip would read all weights for little
constexpr int64_t kFewImages = 4;           // a thread: as strips they are shared more evenly
constexpr int64_t kWorthSharing = 500'000;  // products, some 10 us

/// A model's packed weights, and the primitives for whole images.
class Conv2d final : public Op {
 public:
  static Result<std::unique_ptr<Op>> make(const OpSpec& spec) noexcept {
    std::unique_ptr<Conv2d> op(new (std::nothrow) Conv2d(spec));
    if (op == nullptr) return Status(Code::kOutOfMemory, "no memory");
    MOEFB_TRY(op->pack(spec));
    MOEFB_TRY(op->make_chunks(spec.max_n));
    return std::unique_ptr<Op>(std::move(op));
  }

  Result<std::unique_ptr<OpState>> make_state(int threads, int64_t max_n) const noexcept override;

  const Shape2d& shape() const noexcept { return shape_; }
  dnnl_engine_t engine() const noexcept { return engine_.get(); }
  const_dnnl_memory_desc_t weights_desc() const noexcept { return weights_desc_.get(); }
  std::byte* weights(int64_t expert) const noexcept { return weights_.get() + expert * weights_stride_; }
  const float* bias(int64_t expert) const noexcept {
    return shape_.has_bias ? bias_.get() + expert * shape_.out.c : nullptr;
  }
  const std::vector<ConvKernel>& chunks() const noexcept { return chunks_; }  ///< smallest first
  int64_t most_images() const noexcept { return chunks_.back().n; }           ///< of one chunk
  int64_t products() const noexcept {                                         ///< multiplications for one image
    return shape_.out.elements() * shape_.in.c * shape_.kernel_h * shape_.kernel_w;
  }

 private:
  explicit Conv2d(const OpSpec& spec) noexcept
      : shape_{spec.input(),         spec.output(),       spec.node.kernel_h,
               spec.node.kernel_w,   spec.node.stride,    spec.node.padding,
               spec.node.activation, spec.node.bias >= 0, spec.node.inputs.size() > 1} {}

  Status choose_layout() noexcept {
    DnnlPrimitiveDesc best;
    MOEFB_TRY(make_primitive_desc(shape_, engine_.get(), 1, shape_.all_rows(), nullptr, best));
    return from_dnnl(dnnl_memory_desc_clone(weights_desc_.out(),
                                            dnnl_primitive_desc_query_md(best.get(), dnnl_query_weights_md, 0)));
  }

  Status add_chunk(int64_t n) noexcept {
    chunks_.emplace_back();
    return chunks_.back().make(shape_, engine_.get(), n, shape_.all_rows(), weights_desc_.get());
  }

  /// One for every number up to 16, then fewer: a second call for what is left over reads all weights again.
  Status make_chunks(int64_t max_n) noexcept {
    const int64_t most =
        std::min(max_n, std::clamp<int64_t>(kChunkPixels / (shape_.out.h * shape_.out.w), 1, kMostChunk));
    for (int64_t n = 1; n < most; n += n < 16 ? 1 : n < 32 ? 2 : 4) MOEFB_TRY(add_chunk(n));
    return add_chunk(most);
  }

  /// Reorders every expert's weights from (O, I, KH, KW) to the chosen layout.
  Status pack(const OpSpec& spec) noexcept {
    const OneOpenMpThread alone;
    MOEFB_TRY(from_dnnl(dnnl_engine_create(engine_.out(), dnnl_cpu, 0)));
    MOEFB_TRY(choose_layout());
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
    return load_f32(spec.graph, spec.node.bias, bias_);
  }

  Shape2d shape_;
  DnnlEngine engine_;
  DnnlMemoryDesc weights_desc_;
  Buffer<std::byte> weights_;
  int64_t weights_stride_ = 0;
  Buffer<float> bias_;
  std::vector<ConvKernel> chunks_;
};

/// One executor's strips, and what each of its threads works with.
class Conv2dState final : public OpState {
 public:
  explicit Conv2dState(const Conv2d& op) noexcept : op_(op) {}
  Status make(int threads) noexcept;
  Status run(const OpCall& call, ThreadPool& threads) noexcept override;
  bool reentrant() const noexcept override { return true; }
  int64_t tile_rows(int64_t rows, int threads) const noexcept override {
    return even_part(rows, threads, op_.most_images());
  }

 private:
  struct Worker {
    DnnlStream stream;
    Buffer<std::byte> scratch;
    std::vector<ConvArguments> chunks, strips;  ///< as the kernels stand
  };

  Status make_strips(int threads) noexcept;
  Status make_worker(int64_t scratch_bytes, Worker& worker) const noexcept;
  bool in_strips(int64_t n, int threads) const noexcept;
  /// Images first to first + n, in as few chunks as there are.
  Status run_images(Worker& worker, const OpCall& call, int64_t first, int64_t n) const noexcept;
  Status run_strip(Worker& worker, const OpCall& call, int64_t image, size_t strip) const noexcept;
  ConvPointers pointers(const OpCall& call, int64_t image, const Strip& rows) const noexcept;

  const Conv2d& op_;
  std::vector<ConvKernel> strips_;  ///< top to bottom, one for each thread; none if there is one thread or row
  std::vector<Worker> workers_;
  Slots slots_;  ///< of workers_
};

Status Conv2dState::make(int threads) noexcept {
  MOEFB_TRY(make_strips(threads));
  int64_t scratch_bytes = 0;
  for (const ConvKernel& kernel : op_.chunks()) scratch_bytes = std::max(scratch_bytes, kernel.scratch_bytes());
  for (const ConvKernel& kernel : strips_) scratch_bytes = std::max(scratch_bytes, kernel.scratch_bytes());
  workers_.resize(size_t(threads));
  for (Worker& worker : workers_) MOEFB_TRY(make_worker(scratch_bytes, worker));
  return slots_.make(threads);
}

Status Conv2dState::make_strips(int threads) noexcept {
  const Shape2d& s = op_.shape();
  const int64_t count = std::min<int64_t>(threads, s.out.h);
  if (count == 1) return {};
  strips_.resize(size_t(count));
  for (int64_t i = 0; i < count; ++i) {
    const int64_t begin = s.out.h * i / count, end = s.out.h * (i + 1) / count;
    const Strip rows = strip(s.vertical(), begin, end - begin);
    MOEFB_TRY(strips_[size_t(i)].make(s, op_.engine(), 1, rows, op_.weights_desc()));
  }
  return {};
}

Status Conv2dState::make_worker(int64_t scratch_bytes, Worker& worker) const noexcept {
  MOEFB_TRY(from_dnnl(dnnl_stream_create(worker.stream.out(), op_.engine(), dnnl_stream_default_flags)));
  worker.scratch = allocate<std::byte>(scratch_bytes);
  if (worker.scratch == nullptr) return Status(Code::kOutOfMemory, "no memory for oneDNN's scratchpad");
  const auto make_arguments = [&](const std::vector<ConvKernel>& kernels,
                                  std::vector<ConvArguments>& arguments) -> Status {
    arguments.resize(kernels.size());
    for (size_t i = 0; i < kernels.size(); ++i) {
      MOEFB_TRY(arguments[i].make(kernels[i], op_.shape(), op_.engine(), worker.scratch.get()));
    }
    return {};
  };
  MOEFB_TRY(make_arguments(op_.chunks(), worker.chunks));
  return make_arguments(strips_, worker.strips);
}

bool Conv2dState::in_strips(int64_t n, int threads) const noexcept {
  if (strips_.empty()) return false;
  if (n < threads) return true;
  const graph::Extent& out = op_.shape().out;
  const bool uneven = n % threads != 0 && n < kFewImages * threads;
  return uneven && out.h * out.w >= kStripPixels * int64_t(strips_.size());
}

ConvPointers Conv2dState::pointers(const OpCall& call, int64_t image, const Strip& rows) const noexcept {
  const Shape2d& s = op_.shape();
  const int64_t out = (image * s.out.h + rows.out_begin) * s.out.w * s.out.c;
  return {.src = call.srcs[0] + (image * s.in.h + rows.in_begin) * s.in.w * s.in.c,
          .weights = op_.weights(call.expert),
          .bias = op_.bias(call.expert),
          .residual = s.has_residual ? call.srcs[1] + out : nullptr,
          .dst = call.dst + out};
}

Status Conv2dState::run_images(Worker& worker, const OpCall& call, int64_t first, int64_t n) const noexcept {
  size_t i = op_.chunks().size() - 1;
  for (const int64_t end = first + n; first < end;) {
    const ConvKernel& kernel = op_.chunks()[i];
    if (kernel.n > end - first) {
      --i;
      continue;
    }
    MOEFB_TRY(worker.chunks[i].execute(kernel, worker.stream.get(), pointers(call, first, kernel.rows)));
    first += kernel.n;
  }
  return {};
}

Status Conv2dState::run_strip(Worker& worker, const OpCall& call, int64_t image, size_t strip) const noexcept {
  const ConvKernel& kernel = strips_[strip];
  return worker.strips[strip].execute(kernel, worker.stream.get(), pointers(call, image, kernel.rows));
}

Status Conv2dState::run(const OpCall& call, ThreadPool& threads) noexcept {
  const int sharing = call.n * op_.products() < kWorthSharing ? 1 : threads.threads();
  const bool in_strips = this->in_strips(call.n, sharing);
  const int64_t part = even_part(call.n, sharing, op_.most_images()), strips = int64_t(strips_.size());
  FirstFailure failure;
  const auto run_unit = [&](int64_t unit) {
    const Slots::Lease lease(slots_);
    Worker& worker = workers_[size_t(lease.index())];
    if (in_strips) {
      failure.note(run_strip(worker, call, unit / strips, size_t(unit % strips)));
    } else {
      failure.note(run_images(worker, call, unit * part, std::min(part, call.n - unit * part)));
    }
  };
  const int64_t units = in_strips ? call.n * strips : (call.n + part - 1) / part;
  if (sharing > 1) {
    threads.for_each(units, run_unit);
  } else {
    for (int64_t unit = 0; unit < units; ++unit) run_unit(unit);
  }
  return failure.status();
}

Result<std::unique_ptr<OpState>> Conv2d::make_state(int threads, int64_t) const noexcept {
  std::unique_ptr<Conv2dState> state(new (std::nothrow) Conv2dState(*this));
  if (state == nullptr) return Status(Code::kOutOfMemory, "no memory");
  MOEFB_TRY(state->make(threads));
  return std::unique_ptr<OpState>(std::move(state));
}

}  // namespace

Result<std::unique_ptr<Op>> make_onednn_conv2d(const OpSpec& spec) noexcept {
  return Conv2d::make(spec);
}

}  // namespace moefb::cpu
