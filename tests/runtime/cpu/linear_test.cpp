// Linear layers by every kind of kernels, against sums in double.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "cpu/step.h"
#include "runtime/cpu/test_graph.h"

namespace moefb::cpu {
namespace {

using test::random_values;
using test::TensorGraph;

struct Kind {
  const char* name;
  OpFactory factory;
};
const Kind kKinds[] = {
    {"reference", make_reference_op},
#if MOEFB_ONEDNN
    {"onednn", make_onednn_op},
#endif
};

struct Case {
  int64_t in, out, experts;
  graph::Activation activation;
  bool has_bias, has_residual;
};

class Linear : public testing::TestWithParam<Kind> {
 protected:
  void make(const Case& c) {
    case_ = c;
    graph::Node node;
    node.op = graph::Op::kLinear;
    node.inputs = c.has_residual ? std::vector<int>{0, 1} : std::vector<int>{0};
    node.output = 1;
    node.weight = tensors_.add(test::matrix(c.out, c.in), c.experts, 1);
    if (c.has_bias) node.bias = tensors_.add(test::vector(c.out), c.experts, 2);
    node.activation = c.activation;
    node_ = node;
    const std::vector<graph::Value> values = {{"", test::vector(c.in)}, {"", test::vector(c.out)}};
    auto op = make_op({tensors_.graph(), node, values, c.experts, kMaxRows}, {&GetParam().factory, 1});
    ASSERT_TRUE(op.ok());
    op_ = std::move(*op);
    ASSERT_NE(op_, nullptr);
  }

  void check(int64_t n, int64_t expert, int threads) {
    ThreadPool pool;
    ASSERT_TRUE(pool.start(threads, {}).ok());
    auto state = op_->make_state(threads, kMaxRows);
    ASSERT_TRUE(state.ok());
    const std::vector<float> src = random_values(n * case_.in, 3), residual = random_values(n * case_.out, 4);
    // One row more than is wanted shows what is written too far.
    std::vector<float> dst(static_cast<size_t>((n + 1) * case_.out), -7.0f);
    OpCall call;
    call.n = n;
    call.srcs[0] = src.data();
    call.srcs[1] = residual.data();
    call.dst = dst.data();
    call.expert = expert;
    ASSERT_TRUE((*state)->run(call, pool).ok());
    for (int64_t row = 0; row < n; ++row) {
      for (int64_t o = 0; o < case_.out; ++o) {
        const double want = expected(src.data() + row * case_.in, o, expert, residual[size_t(row * case_.out + o)]);
        ASSERT_NEAR(dst[size_t(row * case_.out + o)], want, tolerance())
            << "row " << row << " of " << n << ", output " << o << ", expert " << expert << ", " << threads
            << " threads, " << case_.in << " to " << case_.out;
      }
    }
    for (int64_t o = 0; o < case_.out; ++o) EXPECT_EQ(dst[size_t(n * case_.out + o)], -7.0f);
  }

  static constexpr int64_t kMaxRows = 300;

 private:
  double expected(const float* src, int64_t o, int64_t expert, float residual) const {
    const float* weights = tensors_.values(node_.weight, expert) + o * case_.in;
    double sum = case_.has_bias ? double(tensors_.values(node_.bias, expert)[o]) : 0.0;
    for (int64_t i = 0; i < case_.in; ++i) sum += double(src[i]) * double(weights[i]);
    if (case_.has_residual) sum += double(residual);
    if (case_.activation == graph::Activation::kRelu) return std::max(sum, 0.0);
    if (case_.activation == graph::Activation::kSilu) return sum / (1.0 + std::exp(-sum));
    return sum;
  }
  /// The partial sums of `in` products of the size 1 grow to sqrt(in), each rounded by 6e-8 of that: together some
  /// 6e-8 * in. Ten times that; a wrong weight or column is off by 1.
  double tolerance() const { return 6e-7 * double(case_.in + 4); }

  Case case_{};
  graph::Node node_;
  TensorGraph tensors_;
  std::unique_ptr<Op> op_;
};

INSTANTIATE_TEST_SUITE_P(Kernels, Linear, testing::ValuesIn(kKinds), [](const auto& info) { return info.param.name; });

TEST_P(Linear, IsTheProductForEveryNumberOfRowsAndThreads) {
  make({.in = 33,
        .out = 21,
        .experts = 1,
        .activation = graph::Activation::kNone,
        .has_bias = true,
        .has_residual = false});
  for (const int threads : {1, 2, 3}) {
    for (const int64_t n : {1, 2, 15, 16, 17, 32, 47, 300}) check(n, 0, threads);
  }
}

// Large enough to be shared: by rows where there are many, by columns where there are few.
TEST_P(Linear, SharesLargeProducts) {
  make({.in = 700,
        .out = 403,
        .experts = 1,
        .activation = graph::Activation::kRelu,
        .has_bias = true,
        .has_residual = true});
  for (const int threads : {1, 2, 3, 5}) {
    for (const int64_t n : {1, 3, 7, 31, 33, 129}) check(n, 0, threads);
  }
}

TEST_P(Linear, SharesFewColumnsAmongManyThreads) {
  make({.in = 300'000,
        .out = 3,
        .experts = 1,
        .activation = graph::Activation::kNone,
        .has_bias = false,
        .has_residual = false});
  for (const int64_t n : {1, 2}) check(n, 0, 4);
}

TEST_P(Linear, UsesTheExpertsOwnWeights) {
  make({.in = 20,
        .out = 18,
        .experts = 3,
        .activation = graph::Activation::kSilu,
        .has_bias = true,
        .has_residual = false});
  for (const int64_t expert : {0, 1, 2}) check(19, expert, 2);
}

TEST_P(Linear, DoesWithoutBias) {
  make({.in = 5,
        .out = 1,
        .experts = 2,
        .activation = graph::Activation::kRelu,
        .has_bias = false,
        .has_residual = true});
  for (const int64_t expert : {0, 1}) check(4, expert, 1);
}

}  // namespace
}  // namespace moefb::cpu
