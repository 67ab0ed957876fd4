// Under capacity group `image` a picture's answer does not depend on the pictures beside it: a batch of every patch
// fixture, cut into runs in every way there is.
//
// The same bits with reference kernels. With oneDNN a batch of another size may take another product, which rounds
// differently; so there, of every layer, the same routes wherever the choice was not a close one (kMargin), and logits
// within the limit of docs/design.md, section 6.
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "golden_models.h"
#include "moefb/executor.h"
#include "moefb/inspect.h"
#include "runtime/model_runs.h"

namespace moefb {
namespace {

using golden::Fixture;

constexpr int64_t kBatch = 4;
constexpr double kMargin = 1e-4, kLogits = 5e-5;

/// What one MoE layer traced, picture after picture.
struct Layer {
  std::vector<float> scores;  ///< (tokens, E): scaled_logits
  std::vector<float> probs;   ///< (tokens, E)
  std::vector<float> out;     ///< the layer's map
  std::vector<int64_t> experts, slots;
};

struct Answer {
  std::vector<float> logits;
  std::vector<Layer> layers;
};

template <typename T>
void append(std::vector<T>& all, const std::vector<T>& part) {
  all.insert(all.end(), part.begin(), part.end());
}

std::vector<RouterInfo> routers_of(const Model& model) {
  std::vector<RouterInfo> routers;
  for (int stage = 0; stage < stage_count(model); ++stage) {
    const StageInfo info = stage_info(model, stage);
    if (info.is_moe) routers.push_back(info.router);
  }
  return routers;
}

/// "layer0.", "layer1.", "layer3.", ...
std::vector<std::string> layer_names(const Model& model) {
  std::vector<std::string> names;
  for (int stage = 0; stage < stage_count(model); ++stage) {
    const StageInfo info = stage_info(model, stage);
    if (info.is_moe) names.push_back("layer" + std::to_string(info.published_layer) + ".");
  }
  return names;
}

Executor make_executor(const Model& model, Dispatch dispatch) {
  ExecutorOptions options;
  options.capacity_group = CapacityGroup::kImage;
  options.dispatch = dispatch;
  options.threads = 2;
  options.trace = Trace::kAll;
  Result<Executor> executor = Executor::create(model, options);
  EXPECT_TRUE(executor.ok()) << executor.status().text();
  return std::move(*executor);
}

/// @param pieces  pictures of each run; together kBatch
Answer answer_in_pieces(Executor& executor, const std::vector<float>& input, const std::vector<int64_t>& pieces) {
  const std::vector<std::string> names = layer_names(executor.model());
  Answer all;
  all.layers.resize(names.size());
  std::span<const float> rest(input);
  for (const int64_t n : pieces) {
    const size_t values = input.size() / size_t(kBatch) * size_t(n);
    append(all.logits, testing::run(executor, rest.first(values), n * executor.model().classes()));
    rest = rest.subspan(values);
    for (size_t i = 0; i < names.size(); ++i) {
      append(all.layers[i].scores, testing::traced<float>(executor, names[i] + "scaled_logits"));
      append(all.layers[i].probs, testing::traced<float>(executor, names[i] + "probs"));
      append(all.layers[i].out, testing::traced<float>(executor, names[i] + "out"));
      append(all.layers[i].experts, testing::traced<int64_t>(executor, names[i] + "assigned_expert"));
      append(all.layers[i].slots, testing::traced<int64_t>(executor, names[i] + "slot"));
    }
  }
  return all;
}

/// Every way to write `pictures` as a sum, in order.
std::vector<std::vector<int64_t>> all_splits(int64_t pictures) {
  if (pictures == 0) return {{}};
  std::vector<std::vector<int64_t>> splits;
  for (int64_t first = 1; first <= pictures; ++first) {
    for (std::vector<int64_t> rest : all_splits(pictures - first)) {
      rest.insert(rest.begin(), first);
      splits.push_back(std::move(rest));
    }
  }
  return splits;
}

/// How close the closest choice in one picture was: of each token the gap of its first and second score, of each
/// expert that filled up the gap between its last kept and its first dropped probability.
double margin(const Layer& layer, const RouterInfo& router, int64_t picture) {
  const auto E = size_t(router.experts);
  const size_t begin = size_t(picture * router.tokens_per_image), end = begin + size_t(router.tokens_per_image);
  double smallest = std::numeric_limits<double>::infinity();
  std::vector<double> last_kept(E, smallest), first_dropped(E, -smallest);
  for (size_t t = begin; t < end; ++t) {
    std::vector<float> scores(layer.scores.begin() + std::ptrdiff_t(t * E),
                              layer.scores.begin() + std::ptrdiff_t((t + 1) * E));
    const auto best = size_t(std::max_element(scores.begin(), scores.end()) - scores.begin());
    const double p = double(layer.probs[t * E + best]);
    if (layer.experts[t] < 0) {
      first_dropped[best] = std::max(first_dropped[best], p);
    } else {
      last_kept[best] = std::min(last_kept[best], p);
    }
    std::sort(scores.rbegin(), scores.rend());
    smallest = std::min(smallest, double(scores[0]) - double(scores[1]));
  }
  for (size_t e = 0; e < E; ++e) smallest = std::min(smallest, last_kept[e] - first_dropped[e]);
  return smallest;
}

std::vector<int64_t> of_picture(const std::vector<int64_t>& tokens, int64_t picture) {
  const auto count = std::ptrdiff_t(tokens.size()) / kBatch;
  return {tokens.begin() + picture * count, tokens.begin() + (picture + 1) * count};
}

/// Experts of every layer, picture by picture, as far as the margins of `want` go: behind a close choice all may
/// differ.
/// @return (picture, layer) pairs that were compared
int64_t expect_same_routes(const Answer& got, const Answer& want, const std::vector<RouterInfo>& routers,
                           const std::string& what) {
  int64_t compared = 0;
  for (int64_t picture = 0; picture < kBatch; ++picture) {
    for (size_t i = 0; i < routers.size(); ++i) {
      if (margin(want.layers[i], routers[i], picture) < kMargin) break;
      EXPECT_EQ(of_picture(got.layers[i].experts, picture), of_picture(want.layers[i].experts, picture))
          << what << ", picture " << picture << ", MoE layer " << i;
      ++compared;
    }
  }
  return compared;
}

void expect_same_bits(const Answer& got, const Answer& want, const std::string& what) {
  EXPECT_EQ(got.logits, want.logits) << what;
  for (size_t i = 0; i < want.layers.size(); ++i) {
    EXPECT_EQ(got.layers[i].scores, want.layers[i].scores) << what << ", MoE layer " << i;
    EXPECT_EQ(got.layers[i].probs, want.layers[i].probs) << what << ", MoE layer " << i;
    EXPECT_EQ(got.layers[i].experts, want.layers[i].experts) << what << ", MoE layer " << i;
    EXPECT_EQ(got.layers[i].slots, want.layers[i].slots) << what << ", MoE layer " << i;
    EXPECT_EQ(got.layers[i].out, want.layers[i].out) << what << ", MoE layer " << i;
  }
}

/// The fixture's pictures, again from the first until there are kBatch.
std::vector<float> input_of(const Fixture& f) {
  const safetensors::File io = f.io();
  const std::vector<float> stored = io.tensors.at("input").to_f32();
  const size_t picture = stored.size() / size_t(io.tensors.at("input").shape[0]);
  std::vector<float> input(picture * size_t(kBatch));
  for (size_t i = 0; i < input.size(); ++i) input[i] = stored[i % stored.size()];
  return input;
}

bool drops_tokens(const Answer& answer) {
  return std::any_of(answer.layers.begin(), answer.layers.end(), [](const Layer& layer) {
    return std::find(layer.experts.begin(), layer.experts.end(), -1) != layer.experts.end();
  });
}

std::string describe(const std::vector<int64_t>& pieces) {
  std::string text = "batch cut into";
  for (const int64_t n : pieces) text += " " + std::to_string(n);
  return text;
}

constexpr std::pair<Dispatch, const char*> kDispatches[] = {
    {Dispatch::kGrouped, "grouped, "}, {Dispatch::kNaive, "naive, "}, {Dispatch::kAll, "all, "}};

std::vector<Fixture> patch_models() {
  std::vector<Fixture> chosen;
  for (Fixture& f : golden::all_fixtures()) {
    const bool evaluation = f.config.value("mode", "eval") == "eval" && f.config.value("current_epoch", 10) >= 10;
    if (f.kind() == "patch_net" && evaluation) chosen.push_back(std::move(f));
  }
  return chosen;
}

class SplitFixture : public ::testing::TestWithParam<Fixture> {
 protected:
  SplitFixture() : file_(GetParam()), input_(input_of(GetParam())) {}
  Model load(Kernels kernels) const { return golden::load(file_.path(), kernels, int(kBatch)); }

  golden::Converted file_;
  std::vector<float> input_;
};

TEST_P(SplitFixture, ReferenceKernelsGiveTheSameBits) {
  const Model model = load(Kernels::kReference);
  for (const auto& [dispatch, name] : kDispatches) {
    Executor executor = make_executor(model, dispatch);
    const Answer whole = answer_in_pieces(executor, input_, {kBatch});
    EXPECT_TRUE(drops_tokens(whole)) << "no expert filled up: the case would show nothing";
    for (const std::vector<int64_t>& pieces : all_splits(kBatch)) {
      expect_same_bits(answer_in_pieces(executor, input_, pieces), whole, name + describe(pieces));
    }
  }
}

TEST_P(SplitFixture, FastKernelsGiveTheReferencesRoutesAndLogits) {
  const Model reference = load(Kernels::kReference), fast = load(Kernels::kAuto);
  const std::vector<RouterInfo> routers = routers_of(fast);
  Executor plain = make_executor(reference, Dispatch::kGrouped);
  const Answer want = answer_in_pieces(plain, input_, {kBatch});
  for (const auto& [dispatch, name] : kDispatches) {
    Executor executor = make_executor(fast, dispatch);
    for (const std::vector<int64_t>& pieces : all_splits(kBatch)) {
      const std::string what = name + describe(pieces);
      const Answer got = answer_in_pieces(executor, input_, pieces);
      EXPECT_EQ(expect_same_routes(got, want, routers, what), kBatch * int64_t(routers.size()))
          << "the fixture has close choices";
      testing::expect_close(got.logits, want.logits, kLogits, what);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Golden, SplitFixture, ::testing::ValuesIn(patch_models()),
                         [](const auto& info) { return golden::test_name(info.param); });

}  // namespace
}  // namespace moefb
