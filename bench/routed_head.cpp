#include "bench/routed_head.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <stdexcept>

#include "converter/build_model.h"
#include "converter/config.h"
#include "converter/moefb_file.h"
#include "converter/safetensors.h"
#include "converter/state_dict.h"

namespace moefb::bench {
namespace {

/// A layer's weights and bias under the keys of the published head, scaled as a trained layer's are.
void add_linear(safetensors::File& file, const std::string& key, int64_t out, int64_t in) {
  const auto seed = static_cast<uint32_t>(std::hash<std::string>{}(key));
  const float deviation = 1.0f / std::sqrt(static_cast<float>(in));
  file.tensors[key + ".weight"] =
      safetensors::Tensor::from_f32({out, in}, random_values(static_cast<size_t>(out * in), deviation, seed));
  file.tensors[key + ".bias"] =
      safetensors::Tensor::from_f32({out}, random_values(static_cast<size_t>(out), deviation, seed + 1));
}

convert::BuiltModel build(const HeadShape& shape) {
  safetensors::File file;
  add_linear(file, "gate.w_gate", shape.experts, shape.features);
  add_linear(file, "gate.w_noise", shape.experts, shape.features);
  for (int64_t e = 0; e < shape.experts; ++e) {
    const std::string expert = "experts." + std::to_string(e) + ".net.";
    add_linear(file, expert + "0", shape.hidden, shape.features);
    add_linear(file, expert + "3", shape.classes, shape.hidden);
  }
  convert::Config config;
  config.path = "benchmark";
  config.kind = convert::Kind::kCifarHead;
  config.head = convert::Head::kSparse;
  config.temperature = 1.0;
  config.k = shape.top_k;
  convert::StateDict weights(std::move(file), "benchmark");
  return convert::build_model(config, weights, convert::WeightDtype::kF32);
}

/// K different experts, each drawn by its weight among those left.
void draw_experts(std::vector<double> weights, int64_t top_k, std::mt19937& random, int32_t* chosen) {
  for (int64_t k = 0; k < top_k; ++k) {
    chosen[k] = std::discrete_distribution<int32_t>(weights.begin(), weights.end())(random);
    weights[static_cast<size_t>(chosen[k])] = 0;
  }
}

}  // namespace

Head::Head(const HeadShape& shape, int64_t max_tokens) : shape_(shape) {
  convert::BuiltModel built = build(shape);
  file_ = convert::to_file(built);
  model_ = std::make_unique<Model>(convert::load(file_, Kernels::kAuto, static_cast<int>(max_tokens)));
  size_t arena_bytes = 0;
  for (const Mode& mode : kModes) {
    ExecutorOptions options;
    options.dispatch = mode.dispatch;
    const Result<Requirements> needed = requirements(*model_, options);
    convert::check(needed.status(), "arena");
    arena_bytes = std::max(arena_bytes, needed->arena_bytes);
  }
  memory_ = arena_.at_least(arena_bytes);
}

Executor Head::make_executor(Dispatch dispatch, int threads, std::span<const int32_t> routes) {
  ExecutorOptions options;
  options.dispatch = dispatch;
  options.threads = threads;
  options.memory = memory_;
  options.replay_routes = routes;
  Result<Executor> made = Executor::create(*model_, options);
  convert::check(made.status(), "executor");
  return std::move(*made);
}

std::vector<int32_t> make_routes(Routing routing, int64_t tokens, int64_t experts, int64_t top_k) {
  std::mt19937 random(1);
  std::vector<int32_t> routes(static_cast<size_t>(tokens * top_k));
  if (routing == Routing::kSkewed) {
    std::vector<double> weights(static_cast<size_t>(experts));
    for (size_t e = 0; e < weights.size(); ++e) weights[e] = 1.0 / static_cast<double>(e + 1);
    for (int64_t t = 0; t < tokens; ++t) draw_experts(weights, top_k, random, &routes[static_cast<size_t>(t * top_k)]);
    return routes;
  }
  // Neighbouring experts for each token, as many tokens for each expert, in random order.
  std::vector<int64_t> places(static_cast<size_t>(tokens));
  std::iota(places.begin(), places.end(), 0);
  std::shuffle(places.begin(), places.end(), random);
  for (size_t i = 0; i < routes.size(); ++i) {
    const int64_t token = static_cast<int64_t>(i) / top_k, k = static_cast<int64_t>(i) % top_k;
    routes[i] = static_cast<int32_t>((places[static_cast<size_t>(token)] * top_k + k) % experts);
  }
  return routes;
}

}  // namespace moefb::bench
