// The three dispatches of a patch network with every kind of kernels and several threads, on routes that are hard on
// them: experts without tokens, one with all, tokens without an expert.
#include <gtest/gtest.h>

#include <functional>

#include "moefb/inspect.h"
#include "runtime/model_runs.h"

namespace moefb {
namespace {

using testing::LoadedModel;
using testing::SyntheticWeights;

constexpr int64_t kChannels = 32, kSide = 28, kExperts = 4, kClasses = 5;
constexpr int kMaxBatch = 3, kTokens = 49;

/// One MoE layer of 7 x 7 patches of 4 x 4 pixels, large enough for threads to share its experts.
LoadedModel load(Kernels kernels) {
  SyntheticWeights weights(3);
  weights.add_moe_layer(0, kExperts, kChannels);
  weights.add_affine("prediction_head.0", {kClasses, kChannels});
  convert::Config config = convert::patch_config(kSide, 4);
  config.router_temp = 0.85;
  config.capacity_factor_val = 2.0;
  config.capacity_group = fb::CapacityGroup::none;
  return {config, weights, kernels, kMaxBatch};
}

struct Routes {
  const char* name;
  std::function<int32_t(int)> expert;  ///< of a token
};
const Routes kRoutes[] = {
    {"all to one", [](int) { return 2; }},
    {"all dropped", [](int) { return -1; }},
    {"one token each, the others dropped", [](int t) { return t < 4 ? 3 - t : -1; }},
    {"two experts wait", [](int t) { return t % 5 == 0 ? 3 : 0; }},
    {"evenly", [](int t) { return t % 4; }},
    {"unevenly, some dropped", [](int t) { return t % 11 == 0  ? -1
                                                  : t % 7 == 0 ? 1
                                                               : t % 2 * 2; }},
};

std::vector<float> run(const Model& model, const Routes& routes, int batch, Dispatch dispatch, int threads) {
  std::vector<int32_t> chosen(size_t(batch * kTokens));
  for (size_t t = 0; t < chosen.size(); ++t) chosen[t] = routes.expert(int(t));
  ExecutorOptions options;
  options.dispatch = dispatch;
  options.threads = threads;
  options.replay_routes = chosen;
  auto executor = Executor::create(model, options);
  EXPECT_TRUE(executor.ok()) << executor.status().text();
  const std::vector<float> input = testing::random_input(batch * kChannels * kSide * kSide, 7);
  std::vector<float> logits = testing::run(*executor, input, batch * kClasses);
  std::vector<int64_t> rows(kExperts, dispatch == Dispatch::kAll ? batch * kTokens : 0);
  if (dispatch != Dispatch::kAll) {
    for (const int32_t e : chosen) rows[size_t(std::max(e, 0))] += e >= 0;
  }
  const auto counted = executor->expert_rows(0).rows;
  EXPECT_EQ(std::vector<int64_t>(counted.begin(), counted.end()), rows) << routes.name;
  return logits;
}

class PatchDispatch : public ::testing::TestWithParam<Kernels> {};
INSTANTIATE_TEST_SUITE_P(Kernels, PatchDispatch, ::testing::Values(Kernels::kReference, Kernels::kAuto),
                         [](const auto& info) { return info.param == Kernels::kAuto ? "Fast" : "Reference"; });

TEST_P(PatchDispatch, AnswersAgreeForEveryDispatchAndNumberOfThreads) {
  const LoadedModel reference = load(Kernels::kReference), loaded = load(GetParam());
  for (const Routes& routes : kRoutes) {
    for (const int batch : {1, kMaxBatch}) {
      const std::vector<float> want = run(reference.model, routes, batch, Dispatch::kGrouped, 1);
      float largest = 0;
      for (const float logit : want) largest = std::max(largest, std::abs(logit));
      for (const Dispatch dispatch : {Dispatch::kGrouped, Dispatch::kNaive, Dispatch::kAll}) {
        for (const int threads : {1, 2, 3}) {
          const std::vector<float> got = run(loaded.model, routes, batch, dispatch, threads);
          for (size_t i = 0; i < want.size(); ++i) {
            // As in docs/design.md, section 6.
            ASSERT_NEAR(got[i], want[i], 5e-5f * largest)
                << routes.name << ", batch " << batch << ", " << threads << " threads, dispatch " << int(dispatch);
          }
        }
      }
    }
  }
}

TEST(PatchDispatchBits, ReferenceKernelsGiveTheSameBitsForAnyNumberOfThreads) {
  const LoadedModel loaded = load(Kernels::kReference);
  for (const Routes& routes : kRoutes) {
    for (const Dispatch dispatch : {Dispatch::kGrouped, Dispatch::kNaive, Dispatch::kAll}) {
      const std::vector<float> want = run(loaded.model, routes, kMaxBatch, dispatch, 1);
      for (const int threads : {2, 3}) EXPECT_EQ(run(loaded.model, routes, kMaxBatch, dispatch, threads), want);
    }
  }
}

}  // namespace
}  // namespace moefb
