// A soft head as two products against its experts one by one, as published: sum over e of p_e (W2_e h_e + b2_e).
#include "cpu/soft_head.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "cpu/step.h"
#include "plan/plan.h"
#include "runtime/cpu/test_graph.h"

namespace moefb::cpu {
namespace {

using test::random_values;
using test::TensorGraph;

struct Sizes {
  int64_t T, D, E, H, C;
  bool biases;
};

/// A soft head as the reader would make it.
graph::MoE make_moe(const Sizes& s, TensorGraph& tensors) {
  graph::MoE moe;
  moe.input = 0;
  moe.output = 1;
  moe.router.kind = graph::RouterKind::kSoft;
  moe.router.top_k = static_cast<int>(s.E);
  moe.bank.experts = static_cast<int>(s.E);
  moe.bank.values = {{"", test::vector(s.D)}, {"", test::vector(s.H)}, {"", test::vector(s.C)}};
  graph::Node first;
  first.op = graph::Op::kLinear;
  first.inputs = {0};
  first.output = 1;
  first.weight = tensors.add(test::matrix(s.H, s.D), s.E, 1);
  first.activation = graph::Activation::kRelu;
  graph::Node second = first;
  second.inputs = {1};
  second.output = 2;
  second.weight = tensors.add(test::matrix(s.C, s.H), s.E, 2);
  second.activation = graph::Activation::kNone;
  if (s.biases) {
    first.bias = tensors.add(test::vector(s.H), s.E, 3);
    second.bias = tensors.add(test::vector(s.C), s.E, 4);
  }
  moe.bank.body = {first, second};
  return moe;
}

/// One token's answer, in double.
std::vector<double> expected(const Sizes& s, const graph::MoE& moe, const TensorGraph& tensors, const float* src,
                             const float* probs) {
  const graph::Node& first = moe.bank.body[0];
  const graph::Node& second = moe.bank.body[1];
  std::vector<double> sum(static_cast<size_t>(s.C), 0.0);
  for (int64_t e = 0; e < s.E; ++e) {
    std::vector<double> hidden(static_cast<size_t>(s.H));
    for (int64_t h = 0; h < s.H; ++h) {
      double z = s.biases ? double(tensors.values(first.bias, e)[h]) : 0.0;
      for (int64_t d = 0; d < s.D; ++d) z += double(src[d]) * double(tensors.values(first.weight, e)[h * s.D + d]);
      hidden[size_t(h)] = std::max(z, 0.0);
    }
    for (int64_t c = 0; c < s.C; ++c) {
      double y = s.biases ? double(tensors.values(second.bias, e)[c]) : 0.0;
      for (int64_t h = 0; h < s.H; ++h) y += hidden[size_t(h)] * double(tensors.values(second.weight, e)[c * s.H + h]);
      sum[size_t(c)] += double(probs[e]) * y;
    }
  }
  return sum;
}

void check(const Sizes& s, OpFactory factory, int threads) {
  TensorGraph tensors;
  const graph::MoE moe = make_moe(s, tensors);
  ASSERT_TRUE(plan::is_two_products(moe));
  auto head = SoftHead::make(tensors.graph(), moe, s.T, {&factory, 1});
  ASSERT_TRUE(head.ok());
  plan::MoeLayout layout;
  layout.sizes.T = s.T;
  layout.sizes.E = s.E;
  layout.sizes.hidden = s.H;
  layout.scaled = s.T * s.E * s.H * int64_t{sizeof(float)};
  std::vector<float> arena(static_cast<size_t>(s.T * s.E * (2 * s.H + 1)));
  auto state = SoftHeadState::make(**head, layout, threads);
  ASSERT_TRUE(state.ok());
  ThreadPool pool;
  ASSERT_TRUE(pool.start(threads, {}).ok());

  const std::vector<float> src = random_values(s.T * s.D, 5);
  std::vector<float> probs = random_values(s.T * s.E, 6);
  for (float& p : probs) p = std::abs(p);
  std::vector<float> dst(static_cast<size_t>(s.T * s.C));
  ASSERT_TRUE(
      (*state)->run(s.T, src.data(), probs.data(), reinterpret_cast<std::byte*>(arena.data()), dst.data(), pool).ok());
  for (int64_t t = 0; t < s.T; ++t) {
    const std::vector<double> want = expected(s, moe, tensors, src.data() + t * s.D, probs.data() + t * s.E);
    const double scale = double(s.E * s.H) * std::sqrt(double(s.D));
    for (int64_t c = 0; c < s.C; ++c) {
      ASSERT_NEAR(dst[size_t(t * s.C + c)], want[size_t(c)], 1e-6 * scale)
          << "token " << t << " of " << s.T << ", output " << c << ", E " << s.E << ", H " << s.H;
    }
  }
}

const std::vector<OpFactory> kFactories = {
    make_reference_op,
#if MOEFB_ONEDNN
    make_onednn_op,
#endif
};

TEST(SoftHead, AnswersLikeItsExpertsOneByOne) {
  for (const OpFactory factory : kFactories) {
    for (const int threads : {1, 3}) {
      for (const bool biases : {true, false}) {
        check({.T = 1, .D = 7, .E = 1, .H = 5, .C = 3, .biases = biases}, factory, threads);
        check({.T = 9, .D = 33, .E = 3, .H = 17, .C = 10, .biases = biases}, factory, threads);
        check({.T = 40, .D = 64, .E = 8, .H = 64, .C = 10, .biases = biases}, factory, threads);
      }
    }
  }
}

TEST(SoftHead, IsOnlyWhatTwoProductsCanDo) {
  TensorGraph tensors;
  const graph::MoE moe = make_moe({.T = 1, .D = 4, .E = 2, .H = 3, .C = 2, .biases = true}, tensors);
  ASSERT_TRUE(plan::is_two_products(moe));
  const auto with = [&moe](auto change) {
    graph::MoE other = moe;
    change(other);
    return plan::is_two_products(other);
  };
  EXPECT_FALSE(with([](graph::MoE& m) { m.router.kind = graph::RouterKind::kTopK; }));
  EXPECT_FALSE(with([](graph::MoE& m) { m.residual = true; }));
  EXPECT_FALSE(with([](graph::MoE& m) { m.gamma = 0; }));
  EXPECT_FALSE(with([](graph::MoE& m) { m.bank.body[1].activation = graph::Activation::kRelu; }));
  EXPECT_FALSE(with([](graph::MoE& m) { m.bank.body[1].inputs = {1, 0}; }));
  EXPECT_FALSE(with([](graph::MoE& m) { m.bank.body[1].inputs = {0}; }));
  EXPECT_FALSE(with([](graph::MoE& m) { m.bank.body[0].op = graph::Op::kConv2d; }));
  EXPECT_FALSE(with([](graph::MoE& m) { m.bank.body.pop_back(); }));
  EXPECT_FALSE(with([](graph::MoE& m) { m.bank.values[0].shape = {3, {4, 1, 1}}; }));
}

}  // namespace
}  // namespace moefb::cpu
