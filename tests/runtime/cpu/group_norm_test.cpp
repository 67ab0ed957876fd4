// The op around kernels/cpu's group norm: alone and with the sum behind it, by one thread and by several.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "cpu/step.h"
#include "runtime/cpu/test_graph.h"

namespace moefb::cpu {
namespace {

using test::random_values;
using test::TensorGraph;

struct Case {
  graph::Extent map;
  int groups;
  int64_t experts = 1;
  size_t addends = 0;  ///< of a sum behind it
};

/// A norm of value 0, then a sum of values 2, 3, ... and the norm.
class NormAndSum {
 public:
  static constexpr int64_t kMaxImages = 9;

  explicit NormAndSum(const Case& c) : case_(c) {
    norm_.op = graph::Op::kGroupNorm;
    norm_.inputs = {0};
    norm_.output = 1;
    norm_.weight = tensors_.add(test::vector(c.map.c), c.experts, 1);
    norm_.bias = tensors_.add(test::vector(c.map.c), c.experts, 2);
    norm_.groups = c.groups;
    norm_.eps = 1e-5f;
    norm_.activation = graph::Activation::kSilu;
    sum_.op = graph::Op::kAdd;
    for (size_t k = 0; k < c.addends; ++k) sum_.inputs.push_back(2 + int(k));
    sum_.inputs.push_back(1);
    sum_.output = 2 + int(c.addends);
    sum_.activation = graph::Activation::kRelu;
    values_.resize(3 + c.addends, {"", {3, {c.map.c, c.map.h, c.map.w}}});
  }

  Result<Step> make(OpFactory fast) {
    const OpFactory factories[] = {fast, make_reference_op};
    return make_step({tensors_.graph(), norm_, values_, case_.experts, kMaxImages, sum()}, factories);
  }

  std::vector<float> run(const Step& step, int64_t n, int64_t expert, int threads) {
    ThreadPool pool;
    EXPECT_TRUE(pool.start(threads, {}).ok());
    auto state = step.op->make_state(threads, kMaxImages);
    EXPECT_TRUE(state.ok());
    std::vector<std::vector<float>> srcs;
    OpCall call;
    call.n = n;
    call.expert = expert;
    for (size_t k = 0; k < step.inputs.size(); ++k) {
      srcs.push_back(random_values(n * case_.map.elements(), 3 + uint32_t(step.inputs[k])));
      call.srcs[k] = srcs.back().data();
    }
    std::vector<float> dst(static_cast<size_t>(n * case_.map.elements() + 1), -7.0f);
    call.dst = dst.data();
    EXPECT_TRUE((*state)->run(call, pool).ok());
    EXPECT_EQ(dst.back(), -7.0f);
    dst.pop_back();
    return dst;
  }

  /// By the reference: the norm, then the sum.
  std::vector<float> expected(int64_t n, int64_t expert) {
    Result<Step> norm = make(make_reference_op);
    EXPECT_EQ(norm->nodes, 1);
    std::vector<float> values = run(*norm, n, expert, 1);
    if (case_.addends == 0) return values;
    for (size_t i = 0; i < values.size(); ++i) values[i] = std::fmax(total(n, i) + values[i], 0.0f);
    return values;
  }

 private:
  const graph::Node* sum() const { return case_.addends > 0 ? &sum_ : nullptr; }
  /// Of the addends, in order.
  float total(int64_t n, size_t i) {
    if (addends_.empty() || addends_[0].size() != size_t(n * case_.map.elements())) {
      addends_.clear();
      for (size_t k = 0; k < case_.addends; ++k) {
        addends_.push_back(random_values(n * case_.map.elements(), 5 + uint32_t(k)));
      }
    }
    float sum = addends_[0][i];
    for (size_t k = 1; k < addends_.size(); ++k) sum += addends_[k][i];
    return sum;
  }

  Case case_;
  TensorGraph tensors_;
  graph::Node norm_, sum_;
  std::vector<graph::Value> values_;
  std::vector<std::vector<float>> addends_;
};

// A small map, one of several blocks, one large enough to be shared, and a channel count that no vector divides.
const Case kCases[] = {{{64, 2, 2}, 8, 3},      {{64, 2, 2}, 8, 3, 1}, {{32, 28, 28}, 8, 1, 2},
                       {{64, 40, 41}, 8, 1, 1}, {{64, 40, 41}, 8},     {{7, 30, 31}, 7, 2, 1}};

TEST(GroupNormOp, MatchesTheReferenceHoweverImagesAreShared) {
  for (const Case& c : kCases) {
    NormAndSum nodes(c);
    const Result<Step> step = nodes.make(make_fast_op);
    ASSERT_TRUE(step.ok());
    EXPECT_EQ(step->nodes, c.addends > 0 ? 2 : 1);
    EXPECT_EQ(step->output, c.addends > 0 ? 2 + int(c.addends) : 1);
    for (const int64_t n : {0, 1, 2, 9}) {
      const int64_t expert = c.experts - 1;
      const std::vector<float> want = nodes.expected(n, expert), alone = nodes.run(*step, n, expert, 1);
      for (const int threads : {1, 2, 3}) {
        const std::vector<float> got = nodes.run(*step, n, expert, threads);
        ASSERT_EQ(got, alone) << "the number of threads changes bits";
        ASSERT_EQ(got.size(), want.size());
        // Sums over a block of at most 256 pixels, in f32; values and weights are of size 1, few above 16.
        for (size_t i = 0; i < want.size(); ++i) {
          ASSERT_NEAR(got[i], want[i], 256 * 6e-8 * 16) << "element " << i << ", " << n << " images, " << threads;
        }
      }
    }
  }
}

TEST(GroupNormOp, LeavesToTheReferenceWhatItsTablesAreTooSmallFor) {
  NormAndSum wide({{4096, 1, 2}, 8, 1, 1});
  const Result<Step> step = wide.make(make_fast_op);
  ASSERT_TRUE(step.ok());
  EXPECT_EQ(step->nodes, 1);
  NormAndSum many_groups({{128, 1, 2}, 128});
  ASSERT_TRUE(many_groups.make(make_fast_op).ok());
  EXPECT_EQ(many_groups.run(*many_groups.make(make_fast_op), 2, 0, 1), many_groups.expected(2, 0));
}

}  // namespace
}  // namespace moefb::cpu
