// Group normalisation by kernels/cpu, with the sum that follows it where there is one.
#include <algorithm>

#include "cpu/op.h"
#include "cpu/weights.h"
#include "kernels/cpu/kernels.h"

namespace moefb::cpu {
namespace {

constexpr int64_t kGrainElements = 8'192;  // normalised in some us: worth a hand-off

class GroupNorm final : public Op {
 public:
  explicit GroupNorm(const OpSpec& spec) noexcept : in_(spec.input()) {
    norm_.pixels = in_.h * in_.w;
    norm_.c = in_.c;
    norm_.groups = spec.node.groups;
    norm_.eps = spec.node.eps;
    norm_.activation = to_kernel(spec.node.activation);
    if (spec.sum == nullptr) return;
    norm_.addends = int(spec.sum->inputs.size()) - 1;
    norm_.sum_activation = to_kernel(spec.sum->activation);
  }

  Status pack(const OpSpec& spec) noexcept {
    MOEFB_TRY(load_f32(spec.graph, spec.node.weight, weight_));
    return load_f32(spec.graph, spec.node.bias, bias_);
  }

  Result<std::unique_ptr<OpState>> make_state(int threads, int64_t max_n) const noexcept override;

  /// For image `image` of the call and those behind it.
  kernels::cpu::GroupNorm arguments(const OpCall& call, int64_t image) const noexcept {
    kernels::cpu::GroupNorm norm = norm_;
    norm.weight = weight_.get() + call.expert * in_.c;
    norm.bias = bias_.get() + call.expert * in_.c;
    for (int k = 0; k < norm.addends; ++k) norm.addend[k] = call.srcs[k + 1] + image * elements();
    return norm;
  }
  int64_t elements() const noexcept { return in_.elements(); }
  int64_t pixels() const noexcept { return norm_.pixels; }
  int64_t blocks() const noexcept { return kernels::cpu::group_norm_blocks(norm_.pixels, in_.c); }
  int64_t groups() const noexcept { return norm_.groups; }

 private:
  graph::Extent in_;
  kernels::cpu::GroupNorm norm_{};  ///< all but its pointers
  Buffer<float> weight_;            ///< per expert (C)
  Buffer<float> bias_;
};

class GroupNormState final : public OpState {
 public:
  GroupNormState(const GroupNorm& op, Buffer<kernels::cpu::Moments> moments) noexcept
      : op_(op), moments_(std::move(moments)) {}
  /// Those who call at the same time bring a pool of one thread, which does not touch moments_.
  bool reentrant() const noexcept override { return true; }

  Status run(const OpCall& call, ThreadPool& threads) noexcept override {
    const bool share_images = moments_ != nullptr && threads.threads() > 1 && call.n < kFewImages * threads.threads();
    if (share_images) {
      for (int64_t n = 0; n < call.n; ++n) run_shared(call, n, threads);
    } else {
      const int64_t grain = 1 + kGrainElements / op_.elements();
      threads.parallel_for(call.n, grain, [&](int64_t begin, int64_t end) {
        kernels::cpu::group_norm(op_.arguments(call, 0), call.srcs[0], begin, end, call.dst);
      });
    }
    return {};
  }

 private:
  static constexpr int64_t kFewImages = 4;  // a thread: more are shared evenly enough as they are

  void run_shared(const OpCall& call, int64_t image, ThreadPool& threads) noexcept {
    const kernels::cpu::GroupNorm norm = op_.arguments(call, image);
    const float* src = call.srcs[0] + image * op_.elements();
    float* dst = call.dst + image * op_.elements();
    const int64_t channels = op_.elements() / op_.pixels();
    threads.parallel_for(op_.blocks(), 4, [&](int64_t begin, int64_t end) {
      kernels::cpu::group_norm_moments(norm, src, begin, end, moments_.get());
    });
    threads.parallel_for(op_.pixels(), 1 + kGrainElements / channels, [&](int64_t begin, int64_t end) {
      kernels::cpu::group_norm_values(norm, src, moments_.get(), begin, end, dst);
    });
  }

  const GroupNorm& op_;
  Buffer<kernels::cpu::Moments> moments_;  ///< (blocks, groups) of one image; null where one is too small to share
};

Result<std::unique_ptr<OpState>> GroupNorm::make_state(int threads, int64_t) const noexcept {
  Buffer<kernels::cpu::Moments> moments;
  if (threads > 1 && elements() >= 2 * kGrainElements) {
    moments = allocate<kernels::cpu::Moments>(blocks() * groups());
    if (moments == nullptr) return Status(Code::kOutOfMemory, "no memory for a group norm's moments");
  }
  return make_new<OpState, GroupNormState>(*this, std::move(moments));
}

}  // namespace

Result<std::unique_ptr<Op>> make_fast_op(const OpSpec& spec) noexcept {
  if (spec.node.op != graph::Op::kGroupNorm) return std::unique_ptr<Op>();
  if (spec.input().c > kernels::cpu::kMaxChannels || spec.node.groups > kernels::cpu::kMaxGroups ||
      (spec.sum != nullptr && int64_t(spec.sum->inputs.size()) > kernels::cpu::kMaxAddends + 1)) {
    return std::unique_ptr<Op>();
  }
  std::unique_ptr<GroupNorm> op(new (std::nothrow) GroupNorm(spec));
  if (op == nullptr) return Status(Code::kOutOfMemory, "no memory");
  MOEFB_TRY(op->pack(spec));
  return std::unique_ptr<Op>(std::move(op));
}

}  // namespace moefb::cpu
