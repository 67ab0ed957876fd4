// Options of the patch network that were not published (design.md, section 9): second choices, gate weights and crop
// of the padding, in every capacity group, against the formulas with their plainest code.
#include <gtest/gtest.h>

#include <numbers>
#include <numeric>

#include "runtime/model_runs.h"
#include "runtime/plain_layers.h"

namespace moefb {
namespace {

using testing::LoadedModel;
using testing::SyntheticWeights;
namespace plain = testing::plain;

constexpr int64_t kBatch = 3, kChannels = 8, kHeight = 10, kWidth = 7, kPatch = 4, kExperts = 3, kClasses = 4;
constexpr int kLayers = 2;
constexpr double kTemperature = 0.85;

struct Options {
  CapacityGroup group;
  double factor;
  bool second_choice, gate_weight, crop;
};

SyntheticWeights weights() {
  SyntheticWeights w(3);
  for (int layer = 0; layer < kLayers; ++layer) w.add_moe_layer(layer, kExperts, kChannels);
  w.add_affine("prediction_head.0", {kClasses, kChannels});
  return w;
}

convert::Config config(const Options& options) {
  convert::Config c = convert::patch_config(kHeight, kPatch);
  c.image = convert::ImageSize{kHeight, kWidth};
  c.router_temp = kTemperature;
  c.capacity_factor_val = options.factor;
  c.capacity_group = options.group == CapacityGroup::kBatch   ? fb::CapacityGroup::batch
                     : options.group == CapacityGroup::kImage ? fb::CapacityGroup::image
                                                              : fb::CapacityGroup::none;
  c.drop_policy = options.second_choice ? fb::DropPolicy::second_choice : fb::DropPolicy::residual;
  c.combine = options.gate_weight ? fb::CombineRule::gate : fb::CombineRule::published;
  c.crop_padding = options.crop;
  return c;
}

// ---- one layer, plainly --------------------------------------------------------------------------------------------

struct Grid {
  explicit Grid(const plain::Map& map) : rows((map.h + kPatch - 1) / kPatch), columns((map.w + kPatch - 1) / kPatch) {}
  int64_t rows, columns;
};

/// Patch (i, j) of a map, zeros outside.
plain::Map patch_of(const plain::Map& map, int64_t i, int64_t j) {
  plain::Map patch(map.c, kPatch, kPatch);
  for (int64_t c = 0; c < map.c; ++c) {
    for (int64_t y = 0; y < kPatch; ++y) {
      for (int64_t x = 0; x < kPatch; ++x) {
        const int64_t my = i * kPatch + y, mx = j * kPatch + x;
        if (map.inside(my, mx)) patch.at(c, y, x) = map.at(c, my, mx);
      }
    }
  }
  return patch;
}

std::vector<double> position(const Grid& grid, int64_t i, int64_t j) {
  const double x = grid.columns > 1 ? double(j) / double(grid.columns - 1) : 0;
  const double y = grid.rows > 1 ? double(i) / double(grid.rows - 1) : 0;
  std::vector<double> p = {x, y};
  for (double at : {x, y}) {
    for (int band : {1, 2, 4, 8}) p.push_back(std::sin(std::numbers::pi * band * at));
    for (int band : {1, 2, 4, 8}) p.push_back(std::cos(std::numbers::pi * band * at));
  }
  return p;
}

std::vector<double> layer_norm(std::vector<double> z, const plain::Weights& w, const std::string& key) {
  const std::vector<float> scale = w.of(key + ".weight"), shift = w.of(key + ".bias");
  const double n = double(z.size()), mean = std::accumulate(z.begin(), z.end(), 0.0) / n;
  double variance = 0;
  for (double v : z) variance += (v - mean) * (v - mean) / n;
  for (size_t i = 0; i < z.size(); ++i) {
    z[i] = (z[i] - mean) / std::sqrt(variance + 1e-5) * double(scale[i]) + double(shift[i]);
  }
  return z;
}

/// Probabilities of one patch.
std::vector<double> gate(const plain::Map& patch, const std::vector<double>& where, const plain::Weights& w,
                         const std::string& key) {
  const int64_t pixels = kPatch * kPatch;
  std::vector<double> z, max;
  for (int64_t c = 0; c < patch.c; ++c) {
    const auto begin = patch.values.begin() + c * pixels;
    z.push_back(std::accumulate(begin, begin + pixels, 0.0) / double(pixels));
    max.push_back(*std::max_element(begin, begin + pixels));
  }
  for (const std::vector<double>& part : {where, max, where}) z.insert(z.end(), part.begin(), part.end());
  std::vector<double> p = plain::linear(layer_norm(z, w, key + "mlp.0"), w, key + "mlp.1");
  const double middle = std::accumulate(p.begin(), p.end(), 0.0) / double(p.size());
  double sum = 0;
  for (double& v : p) sum += v = std::exp(std::clamp((v - middle) / kTemperature, -10.0, 10.0));
  for (double& v : p) v /= sum;
  return p;
}

plain::Map expert(const plain::Map& token, const plain::Weights& w, const std::string& key) {
  const plain::Map hidden = plain::silu(plain::group_norm(plain::conv(token, w, key + "0.weight"), w, key + "1"));
  return plain::add(plain::group_norm(plain::conv(hidden, w, key + "3.weight"), w, key + "4"), token);
}

/// What the routes of some tokens should be: -1 where a token has no expert.
struct Routes {
  std::vector<int64_t> expert, slot;
};

/// All tokens walk in order of confidence, each to its most probable expert; who finds it full waits, and walks again
/// to the most probable that is not.
Routes walk(const float* probs, int64_t tokens, int64_t capacity, bool second_choice) {
  std::vector<int64_t> best(static_cast<size_t>(tokens)), order(best.size()), taken(kExperts, 0);
  for (int64_t t = 0; t < tokens; ++t) {
    best[size_t(t)] = std::max_element(probs + t * kExperts, probs + (t + 1) * kExperts) - (probs + t * kExperts);
  }
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    return probs[a * kExperts + best[size_t(a)]] > probs[b * kExperts + best[size_t(b)]];
  });
  Routes routes{std::vector<int64_t>(best.size(), -1), std::vector<int64_t>(best.size(), -1)};
  const auto seat = [&](int64_t t, int64_t e) {
    routes.expert[size_t(t)] = e;
    routes.slot[size_t(t)] = taken[size_t(e)]++;
  };
  for (int64_t t : order) {
    if (taken[size_t(best[size_t(t)])] < capacity) seat(t, best[size_t(t)]);
  }
  if (!second_choice) return routes;
  for (int64_t t : order) {
    if (routes.expert[size_t(t)] >= 0) continue;
    std::vector<int64_t> wish(kExperts);
    std::iota(wish.begin(), wish.end(), 0);
    std::stable_sort(wish.begin(), wish.end(),
                     [&](int64_t a, int64_t b) { return probs[t * kExperts + a] > probs[t * kExperts + b]; });
    for (int64_t e : wish) {
      if (taken[size_t(e)] == capacity) continue;
      seat(t, e);
      break;
    }
  }
  return routes;
}

// ---- against the runtime -------------------------------------------------------------------------------------------

/// Follows one traced run layer by layer, with maps of its own.
class Follower {
 public:
  Follower(const Options& options, const SyntheticWeights& w, const Executor& executor, const std::string& what)
      : options_(options), weights_(w.file), executor_(executor), what_(what) {}

  /// @param maps  the layer's input, one an image; its output after that
  void follow(int layer, std::vector<plain::Map>& maps) {
    key_ = "layers." + std::to_string(layer) + ".";
    name_ = "layer" + std::to_string(layer) + ".";
    expect_probabilities(maps);
    expect_routes(int64_t(probs_.size()) / kExperts);
    std::vector<double> merged, out;
    for (int64_t n = 0; n < kBatch; ++n) {
      const plain::Map m = merge(maps[size_t(n)], n);
      merged.insert(merged.end(), m.values.begin(), m.values.end());
      maps[size_t(n)] = post(m);
      out.insert(out.end(), maps[size_t(n)].values.begin(), maps[size_t(n)].values.end());
    }
    testing::expect_close(testing::traced<float>(executor_, name_ + "merged"), merged, 2e-5, what_ + name_ + "merged");
    testing::expect_close(testing::traced<float>(executor_, name_ + "out"), out, 2e-5, what_ + name_ + "out");
  }

  int64_t dropped = 0;         ///< tokens without an expert, all layers
  int64_t second_choices = 0;  ///< tokens whose expert is not their first choice

 private:
  void expect_probabilities(const std::vector<plain::Map>& maps) {
    std::vector<double> expected;
    for (const plain::Map& map : maps) {
      const Grid grid(map);
      for (int64_t i = 0; i < grid.rows; ++i) {
        for (int64_t j = 0; j < grid.columns; ++j) {
          const auto p = gate(patch_of(map, i, j), position(grid, i, j), weights_, key_ + "router_gate.");
          expected.insert(expected.end(), p.begin(), p.end());
        }
      }
    }
    probs_ = testing::traced<float>(executor_, name_ + "probs");
    testing::expect_close(probs_, expected, 2e-5, what_ + name_ + "probs");
  }

  void expect_routes(int64_t tokens) {
    const int64_t group = options_.group == CapacityGroup::kImage ? tokens / kBatch : tokens;
    const int64_t capacity = options_.group == CapacityGroup::kNone
                                 ? tokens
                                 : int64_t(std::ceil(options_.factor * double(group) / double(kExperts)));
    routes_ = {};
    for (int64_t first = 0; first < tokens; first += group) {
      const Routes part = walk(probs_.data() + first * kExperts, group, capacity, options_.second_choice);
      routes_.expert.insert(routes_.expert.end(), part.expert.begin(), part.expert.end());
      routes_.slot.insert(routes_.slot.end(), part.slot.begin(), part.slot.end());
    }
    EXPECT_EQ(testing::traced<int64_t>(executor_, name_ + "capacity"), std::vector<int64_t>{capacity}) << what_;
    EXPECT_EQ(testing::traced<int64_t>(executor_, name_ + "assigned_expert"), routes_.expert) << what_ << name_;
    EXPECT_EQ(testing::traced<int64_t>(executor_, name_ + "slot"), routes_.slot) << what_ << name_;
    std::vector<uint8_t> kept;
    std::vector<double> weight;
    for (int64_t t = 0; t < tokens; ++t) {
      kept.push_back(routes_.expert[size_t(t)] >= 0);
      weight.push_back(weight_of(t));
      const auto row = probs_.begin() + t * kExperts;
      if (!kept.back()) ++dropped;
      if (kept.back() && std::max_element(row, row + kExperts) != row + routes_.expert[size_t(t)]) ++second_choices;
    }
    EXPECT_EQ(testing::traced<uint8_t>(executor_, name_ + "kept"), kept) << what_ << name_;
    testing::expect_close(testing::traced<float>(executor_, name_ + "combine_weight"), weight, 1e-6,
                          what_ + name_ + "weight");
  }

  double weight_of(int64_t t) const {
    const int64_t e = routes_.expert[size_t(t)];
    if (e < 0) return 0;
    return options_.gate_weight ? double(probs_[size_t(t * kExperts + e)]) : 1.0;
  }

  /// M: the tokens with gamma times their experts' answers, side by side again.
  plain::Map merge(const plain::Map& map, int64_t image) const {
    const Grid grid(map);
    const double gamma = double(weights_.of(key_ + "gamma")[0]);
    plain::Map merged(map.c, options_.crop ? map.h : grid.rows * kPatch, options_.crop ? map.w : grid.columns * kPatch);
    for (int64_t i = 0; i < grid.rows; ++i) {
      for (int64_t j = 0; j < grid.columns; ++j) {
        const int64_t t = (image * grid.rows + i) * grid.columns + j, e = routes_.expert[size_t(t)];
        const plain::Map token = patch_of(map, i, j);
        plain::Map answer(token.c, token.h, token.w);
        if (e >= 0) answer = expert(token, weights_, key_ + "experts." + std::to_string(e) + ".conv_block.");
        for (int64_t c = 0; c < map.c; ++c) {
          for (int64_t y = 0; y < kPatch; ++y) {
            for (int64_t x = 0; x < kPatch; ++x) {
              const int64_t my = i * kPatch + y, mx = j * kPatch + x;
              if (!merged.inside(my, mx)) continue;
              merged.at(c, my, mx) = token.at(c, y, x) + gamma * weight_of(t) * answer.at(c, y, x);
            }
          }
        }
      }
    }
    return merged;
  }

  plain::Map post(const plain::Map& merged) const {
    const plain::Map a = plain::silu(plain::group_norm(merged, weights_, key_ + "merge_gn"));
    const plain::Map q = plain::silu(
        plain::group_norm(plain::conv(a, weights_, key_ + "post_block.0.weight"), weights_, key_ + "post_block.1"));
    return plain::add(plain::add(merged, a), q);
  }

  Options options_;
  plain::Weights weights_;
  const Executor& executor_;
  std::string what_, key_, name_;
  std::vector<float> probs_;
  Routes routes_;
};

class PatchOptions : public ::testing::TestWithParam<Options> {};

TEST_P(PatchOptions, AgreeWithTheFormulas) {
  const Options& o = GetParam();
  const SyntheticWeights w = weights();
  const std::vector<float> input = testing::random_input(kBatch * kChannels * kHeight * kWidth, 2);
  for (Kernels kernels : {Kernels::kReference, Kernels::kAuto}) {
    const LoadedModel loaded(config(o), w, kernels, kBatch);
    for (Dispatch dispatch : {Dispatch::kGrouped, Dispatch::kNaive, Dispatch::kAll}) {
      ExecutorOptions options;
      options.dispatch = dispatch;
      options.threads = 2;
      options.trace = Trace::kAll;
      Result<Executor> executor = Executor::create(loaded.model, options);
      ASSERT_TRUE(executor.ok()) << executor.status().text();
      const std::vector<float> logits = testing::run(*executor, input, kBatch * kClasses);
      std::vector<plain::Map> maps(kBatch, plain::Map(kChannels, kHeight, kWidth));
      for (size_t n = 0; n < maps.size(); ++n) {
        std::copy_n(input.begin() + std::ptrdiff_t(n * maps[n].values.size()), maps[n].values.size(),
                    maps[n].values.begin());
      }
      Follower follower(
          o, w, *executor,
          "kernels " + std::to_string(int(kernels)) + ", dispatch " + std::to_string(int(dispatch)) + ": ");
      for (int layer = 0; layer < kLayers; ++layer) follower.follow(layer, maps);
      std::vector<double> expected;
      for (const plain::Map& map : maps) {
        const auto row = plain::linear(plain::pool(map), plain::Weights(w.file), "prediction_head.0");
        expected.insert(expected.end(), row.begin(), row.end());
      }
      testing::expect_close(logits, expected, 2e-5, "logits");
      // Otherwise the case would show nothing.
      EXPECT_EQ(follower.second_choices > 0, o.second_choice && o.group != CapacityGroup::kNone);
      if (!o.second_choice) {
        EXPECT_EQ(follower.dropped > 0, o.group != CapacityGroup::kNone);
      }
    }
  }
}

std::vector<Options> cases() {
  std::vector<Options> all;
  for (CapacityGroup group : {CapacityGroup::kBatch, CapacityGroup::kImage, CapacityGroup::kNone}) {
    for (bool second : {false, true}) {
      for (bool gate_weight : {false, true}) {
        all.push_back({group, 0.7, second, gate_weight, false});
        all.push_back({group, 0.7, second, gate_weight, true});
      }
    }
    all.push_back({group, 0.4, true, false, false});  // fewer slots than tokens: some find no second choice either
  }
  return all;
}

std::string name_of(const Options& o) {
  const char* groups[] = {"Batch", "Image", "None"};
  return std::string(groups[int(o.group)]) + (o.second_choice ? "SecondChoice" : "Residual") +
         (o.gate_weight ? "Gate" : "One") + (o.crop ? "Cropped" : "Padded") + (o.factor < 0.5 ? "Scarce" : "");
}

INSTANTIATE_TEST_SUITE_P(, PatchOptions, ::testing::ValuesIn(cases()),
                         [](const auto& info) { return name_of(info.param); });

TEST(PatchReplay, GivenRoutesAreFinalAndWeighTheirOwnProbability) {
  const SyntheticWeights w = weights();
  const LoadedModel loaded(config({CapacityGroup::kBatch, 0.4, true, true, true}), w, Kernels::kReference, kBatch);
  std::vector<int32_t> routes(size_t(kLayers * kBatch * 6));  // 3 x 2 patches
  for (size_t r = 0; r < routes.size(); ++r) routes[r] = int32_t(r % 4) - 1;
  ExecutorOptions options;
  options.trace = Trace::kRouting;
  options.replay_routes = routes;
  Result<Executor> executor = Executor::create(loaded.model, options);
  ASSERT_TRUE(executor.ok()) << executor.status().text();
  testing::run(*executor, testing::random_input(kBatch * kChannels * kHeight * kWidth, 2), kBatch * kClasses);
  const auto assigned = testing::traced<int64_t>(*executor, "layer0.assigned_expert");
  const auto weight = testing::traced<float>(*executor, "layer0.combine_weight");
  const auto probs = testing::traced<float>(*executor, "layer0.probs");
  ASSERT_EQ(assigned.size() * kLayers, routes.size());
  for (size_t t = 0; t < assigned.size(); ++t) {
    EXPECT_EQ(assigned[t], routes[t]);
    EXPECT_EQ(weight[t], routes[t] < 0 ? 0.0f : probs[t * size_t(kExperts) + size_t(routes[t])]);
  }
}

/// The whole batch, cut into runs of `pieces` images.
struct Answer {
  std::vector<float> logits, probs;
  std::vector<int64_t> experts;
};

Answer answer_in_pieces(const Model& model, const std::vector<float>& input, const std::vector<int64_t>& pieces) {
  ExecutorOptions options;
  options.trace = Trace::kRouting;
  Result<Executor> executor = Executor::create(model, options);
  EXPECT_TRUE(executor.ok()) << executor.status().text();
  const size_t image = input.size() / size_t(kBatch);
  Answer all;
  size_t first = 0;
  for (int64_t n : pieces) {
    const std::span<const float> part(input.data() + first * image, size_t(n) * image);
    const std::vector<float> logits = testing::run(*executor, part, n * kClasses);
    const auto experts = testing::traced<int64_t>(*executor, "layer0.assigned_expert");
    const auto probs = testing::traced<float>(*executor, "layer0.probs");
    all.logits.insert(all.logits.end(), logits.begin(), logits.end());
    all.experts.insert(all.experts.end(), experts.begin(), experts.end());
    all.probs.insert(all.probs.end(), probs.begin(), probs.end());
    first += size_t(n);
  }
  return all;
}

TEST(PatchSplit, UnderGroupImageABatchMayBeCutAnywhere) {
  const SyntheticWeights w = weights();
  const std::vector<float> input = testing::random_input(kBatch * kChannels * kHeight * kWidth, 2);
  for (bool second_choice : {false, true}) {
    const Options options{CapacityGroup::kImage, 0.7, second_choice, true, true};
    for (Kernels kernels : {Kernels::kReference, Kernels::kAuto}) {
      const LoadedModel loaded(config(options), w, kernels, kBatch);
      const Answer whole = answer_in_pieces(loaded.model, input, {3});
      for (const std::vector<int64_t>& pieces : {std::vector<int64_t>{1, 2}, {2, 1}, {1, 1, 1}}) {
        const Answer parts = answer_in_pieces(loaded.model, input, pieces);
        EXPECT_EQ(parts.experts, whole.experts);
        if (kernels == Kernels::kReference) {
          EXPECT_EQ(parts.logits, whole.logits);
          EXPECT_EQ(parts.probs, whole.probs);
        } else {
          testing::expect_close(parts.logits, whole.logits, 5e-5, "logits of a batch in pieces");
        }
      }
    }
  }
}

}  // namespace
}  // namespace moefb
