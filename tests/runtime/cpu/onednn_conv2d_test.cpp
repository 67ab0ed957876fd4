// Convolutions through oneDNN against the reference, in chunks of images, in strips of rows and by several at once.
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <thread>
#include <vector>

#include "cpu/step.h"
#include "runtime/cpu/test_graph.h"

namespace moefb::cpu {
namespace {

using test::random_values;
using test::TensorGraph;

struct Case {
  const char* name;
  graph::Extent in;
  int64_t out_channels;
  int kernel, stride, padding;
  int64_t experts = 1, max_n = 4;
  graph::Activation activation = graph::Activation::kNone;
  bool has_bias = false, has_residual = false;

  int64_t side(int64_t in_side) const { return (in_side + 2 * padding - kernel) / stride + 1; }
  graph::Extent out() const { return {out_channels, side(in.h), side(in.w)}; }
};

class Conv2d {
 public:
  explicit Conv2d(const Case& c) : case_(c) {
    node_.op = graph::Op::kConv2d;
    node_.inputs = c.has_residual ? std::vector<int>{0, 1} : std::vector<int>{0};
    node_.output = 1;
    node_.weight = tensors_.add({4, {c.out_channels, c.in.c, c.kernel, c.kernel}}, c.experts, 1);
    if (c.has_bias) node_.bias = tensors_.add(test::vector(c.out_channels), c.experts, 2);
    node_.kernel_h = node_.kernel_w = c.kernel;
    node_.stride = c.stride;
    node_.padding = c.padding;
    node_.activation = c.activation;
    values_ = {{"", {3, {c.in.c, c.in.h, c.in.w}}}, {"", {3, {c.out().c, c.out().h, c.out().w}}}};
    onednn_ = make(make_onednn_op);
    reference_ = make(make_reference_op);
  }

  /// @param residual  as large as the output
  std::vector<float> expected(int64_t n, int64_t expert) const { return run(*reference_, n, expert, 1); }
  std::vector<float> actual(int64_t n, int64_t expert, int threads) const { return run(*onednn_, n, expert, threads); }

  void check(int64_t n, int64_t expert, int threads) const {
    expect_close(actual(n, expert, threads), expected(n, expert), n, expert, threads);
  }

  void expect_close(const std::vector<float>& got, const std::vector<float>& want, int64_t n, int64_t expert,
                    int threads) const {
    ASSERT_EQ(got.size(), want.size());
    for (size_t i = 0; i < want.size(); ++i) {
      ASSERT_NEAR(got[i], want[i], tolerance()) << case_.name << ": element " << i << ", " << n << " images, expert "
                                                << expert << ", " << threads << " threads";
    }
  }

  std::unique_ptr<OpState> state(int threads) const {
    auto made = onednn_->make_state(threads, case_.max_n);
    EXPECT_TRUE(made.ok());
    return std::move(*made);
  }
  std::vector<float> run(OpState& state, int64_t n, int64_t expert, ThreadPool& pool) const {
    const std::vector<float> src = random_values(n * case_.in.elements(), 3);
    const std::vector<float> residual = random_values(n * case_.out().elements(), 4);
    // One value more than is wanted shows what is written too far.
    std::vector<float> dst(static_cast<size_t>(n * case_.out().elements() + 1), -7.0f);
    OpCall call;
    call.n = n;
    call.srcs[0] = src.data();
    call.srcs[1] = residual.data();
    call.dst = dst.data();
    call.expert = expert;
    EXPECT_TRUE(state.run(call, pool).ok());
    EXPECT_EQ(dst.back(), -7.0f);
    dst.pop_back();
    return dst;
  }

 private:
  std::unique_ptr<Op> make(OpFactory factory) {
    auto op = make_op({tensors_.graph(), node_, values_, case_.experts, case_.max_n}, {&factory, 1});
    EXPECT_TRUE(op.ok());
    return std::move(*op);
  }
  std::vector<float> run(const Op& op, int64_t n, int64_t expert, int threads) const {
    ThreadPool pool;
    EXPECT_TRUE(pool.start(threads, {}).ok());
    auto state = op.make_state(threads, case_.max_n);
    EXPECT_TRUE(state.ok());
    return run(**state, n, expert, pool);
  }
  /// As for linear layers (linear_test.cpp), for both sides.
  double tolerance() const { return 2 * 6e-7 * double(case_.in.c * case_.kernel * case_.kernel + 4); }

  Case case_;
  graph::Node node_;
  TensorGraph tensors_;
  std::vector<graph::Value> values_;
  std::unique_ptr<Op> onednn_, reference_;
};

const Case kTokens[] = {
    {"2x2 tokens", {48, 2, 2}, 48, 3, 1, 1, 3, 150},
    {"4x4 tokens", {24, 4, 4}, 24, 3, 1, 1, 2, 40},
    {"16x16 tokens", {16, 16, 16}, 16, 3, 1, 1, 2, 5},
    {"2x2 tokens of several panels", {100, 2, 2}, 130, 3, 1, 1, 2, 65},
    {"2x2 tokens with all that may follow", {70, 2, 2}, 50, 3, 1, 1, 2, 33, graph::Activation::kSilu, true, true},
    {"3x3 tokens", {48, 3, 3}, 48, 3, 1, 1, 2, 150},
    {"tokens with 1x1 kernels", {40, 2, 2}, 40, 1, 1, 0, 2, 150},
};

TEST(OnednnConv2d, RunsAnyNumberOfTokens) {
  for (const Case& c : kTokens) {
    const Conv2d conv(c);
    for (const int threads : {1, 2, 3}) {
      for (const int64_t n : {0, 1, 2, 3, 5, 16, 17, 33, 65, 150}) {
        if (n <= c.max_n) conv.check(n, c.experts - 1, threads);
      }
    }
  }
}

TEST(OnednnConv2d, UsesTheExpertsOwnWeights) {
  for (const Case& c : kTokens) {
    const Conv2d conv(c);
    for (int64_t expert = 0; expert < c.experts; ++expert) conv.check(5, expert, 2);
  }
}

// Each large enough to be worth sharing.
const Case kMaps[] = {
    {"3x3", {24, 20, 17}, 48, 3, 1, 1, 1, 9},
    {"3x3, every other pixel of an even side", {32, 24, 20}, 48, 3, 2, 1, 1, 9},
    {"3x3, every other pixel of an odd side", {32, 23, 19}, 48, 3, 2, 1, 1, 9},
    {"1x1, every other pixel", {64, 48, 42}, 64, 1, 2, 0, 1, 5},
    {"7x7, every other pixel", {3, 41, 38}, 64, 7, 2, 3, 1, 5},
    {"fewer rows than threads", {128, 3, 9}, 128, 3, 1, 1, 1, 5},
    {"one row", {256, 1, 9}, 256, 3, 1, 1, 1, 5},
    {"bias, residual and SiLU", {24, 20, 17}, 48, 3, 1, 1, 1, 5, graph::Activation::kSilu, true, true},
    {"bias and ReLU", {32, 24, 20}, 48, 3, 2, 1, 1, 5, graph::Activation::kRelu, true, false},
};

TEST(OnednnConv2d, SharesMapsByImagesAndByRows) {
  for (const Case& c : kMaps) {
    const Conv2d conv(c);
    for (const int threads : {1, 2, 4}) {
      for (const int64_t n : {1, 2, 3, 5, 9}) {
        if (n <= c.max_n) conv.check(n, 0, threads);
      }
    }
  }
}

TEST(OnednnConv2d, RunsSeveralExpertsAtOnce) {
  for (const Case& c : kTokens) {
    const Conv2d conv(c);
    const std::unique_ptr<OpState> state = conv.state(3);
    ASSERT_TRUE(state->reentrant());
    std::vector<float> answers[3];
    std::vector<std::thread> threads;
    for (int64_t i = 0; i < 3; ++i) {
      threads.emplace_back([&, i] {
        ThreadPool alone;
        for (int repeat = 0; repeat < 20; ++repeat) answers[i] = conv.run(*state, 3 + i, i % c.experts, alone);
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (int64_t i = 0; i < 3; ++i) {
      conv.expect_close(answers[i], conv.expected(3 + i, i % c.experts), 3 + i, i % c.experts, 3);
    }
  }
}

}  // namespace
}  // namespace moefb::cpu
