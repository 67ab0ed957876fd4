#include "bench/patch_models.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string_view>

#include "converter/build_model.h"
#include "converter/config.h"
#include "converter/moefb_file.h"
#include "converter/state_dict.h"
#include "converter/synthetic_weights.h"
#include "moefb/image.h"
#include "moefb/inspect.h"

namespace moefb::bench {
namespace {

constexpr const char* kPhotographs[] = {"airplane", "cat", "deer", "frog", "horse"};

convert::Config config_of(const PatchPart& part) {
  convert::Config config;
  config.path = "benchmark";
  config.kind = convert::Kind::kPatchNet;
  config.patch_size = part.patch;
  config.router_temp = 0.85;
  config.capacity_factor_val = 2.0;
  config.capacity_group = fb::CapacityGroup::image;
  config.image = convert::ImageSize{part.side, part.side};
  return config;
}

std::vector<std::byte> convert_part(const PatchPart& part, safetensors::File weights) {
  convert::StateDict state(std::move(weights), "benchmark");
  convert::BuiltModel built = convert::build_model(config_of(part), state, convert::WeightDtype::kF32);
  return convert::to_file(built);
}

/// kMaxBatch pictures as the model takes them; the few there are come in turn.
std::vector<float> photographs(const Preprocessing& rule) {
  const auto size = static_cast<size_t>(3 * rule.height * rule.width);
  std::vector<float> planes(static_cast<size_t>(kMaxBatch) * size);
  for (size_t i = 0; i < static_cast<size_t>(kMaxBatch); ++i) {
    const std::string path = std::string(MOEFB_PHOTOGRAPHS) + "/" + kPhotographs[i % std::size(kPhotographs)] + ".jpg";
    const Result<Image> image = load_image(path.c_str());
    convert::check(image.status(), path.c_str());
    convert::check(preprocess(*image, rule, std::span(planes).subspan(i * size, size)), path.c_str());
  }
  return planes;
}

std::vector<float> read_map(const Executor& executor, std::string_view name) {
  for (int i = 0; i < executor.trace_count(); ++i) {
    const TraceInfo info = executor.trace_info(i);
    if (name != info.name) continue;
    std::vector<float> map(static_cast<size_t>(info.shape.elements()));
    convert::check(executor.read_trace(i, std::as_writable_bytes(std::span(map))), info.name);
    return map;
  }
  throw std::runtime_error("the network's trace has no map " + std::string(name));
}

/// Scores that differ by a few units, as those of trained gates: had an expert a probability below 1e-6, the weight of
/// a token that is sent there all the same would not be 1.
void calm_gates(safetensors::File& network) {
  constexpr float kDeviation = 1.5f;
  for (auto& [name, tensor] : network.tensors) {
    if (!name.ends_with("router_gate.mlp.1.weight")) continue;
    const float of_one_weight = kDeviation / std::sqrt(static_cast<float>(tensor.shape[1]));
    const auto seed = static_cast<uint32_t>(tensor.elements());
    tensor = safetensors::Tensor::from_f32(tensor.shape,
                                           random_values(static_cast<size_t>(tensor.elements()), of_one_weight, seed));
  }
}

safetensors::File network_weights(const PatchPart& network, int64_t experts) {
  testing::SyntheticWeights weights;
  weights.add_patch_net(experts, network.width, kClasses);
  calm_gates(weights.file);
  return std::move(weights.file);
}

safetensors::File layer_weights(const PatchPart& layer, const safetensors::File& network) {
  testing::SyntheticWeights weights;
  weights.add_affine("prediction_head.0", {kClasses, layer.channels});
  const std::string prefix = "layers." + std::to_string(layer.layer) + ".";
  for (const auto& [name, tensor] : network.tensors) {
    if (name.starts_with(prefix)) weights.file.tensors["layers.0." + name.substr(prefix.size())] = tensor;
  }
  return std::move(weights.file);
}

}  // namespace

const char* name_of(PatchRouting routing) {
  return routing == PatchRouting::kGates ? "gates" : "one_expert";
}

std::string PatchCase::name() const {
  return std::string(part->name) + "/E:" + std::to_string(experts) + "/N:" + std::to_string(batch) + "/" +
         name_of(routing);
}

std::vector<PatchCase> all_patch_cases() {
  std::vector<PatchCase> cases;
  for (const int64_t experts : {1, 4, 8, 16}) {
    for (const PatchPart& part : kParts) {
      for (const int64_t batch : {int64_t{1}, kMaxBatch}) {
        cases.push_back({&part, experts, batch, PatchRouting::kGates});
        if (experts > 1) cases.push_back({&part, experts, batch, PatchRouting::kOneExpert});
      }
    }
  }
  return cases;
}

void for_each_part(int64_t experts, const std::function<void(const PatchPart&, safetensors::File)>& fn) {
  const safetensors::File published = network_weights(kNetwork, experts);
  for (const PatchPart& part : kParts) {
    fn(part, part.is_network() ? network_weights(part, experts) : layer_weights(part, published));
  }
}

PatchFamily::PatchFamily(int64_t experts) {
  for_each_part(experts, [this](const PatchPart& part, safetensors::File weights) {
    std::vector<std::byte> file = convert_part(part, std::move(weights));
    Model model = convert::load(file, Kernels::kAuto, static_cast<int>(kMaxBatch));
    std::vector<float> input = part.is_network() ? photographs(*model.preprocessing()) : std::vector<float>();
    parts_.emplace(part.name, Loaded{std::move(file), std::move(model), std::move(input)});
  });
  trace_inputs();
}

void PatchFamily::trace_inputs() {
  const Loaded& network = parts_.at(kNetwork.name);
  ExecutorOptions options;
  options.trace = Trace::kAll;
  Result<Executor> executor = Executor::create(network.model, options);
  convert::check(executor.status(), "executor");
  std::vector<float> logits(static_cast<size_t>(kMaxBatch * kClasses));
  convert::check(executor->run(network.input, logits), "run");
  for (const PatchPart& part : kParts) {
    if (!part.is_network()) parts_.at(part.name).input = read_map(*executor, part.source);
  }
}

std::span<const float> PatchFamily::input(const PatchPart& part, int64_t batch) const {
  return std::span(parts_.at(part.name).input)
      .first(static_cast<size_t>(batch * part.channels * part.side * part.side));
}

const PatchFamily& PatchFamilies::at(int64_t experts) {
  std::unique_ptr<PatchFamily>& family = families_[experts];
  if (family == nullptr) family = std::make_unique<PatchFamily>(experts);
  return *family;
}

Executor make_executor(const PatchFamily& family, const PatchCase& one, Dispatch dispatch, int threads, Arena& arena,
                       std::vector<int32_t>& routes) {
  const Model& model = family.model(*one.part);
  ExecutorOptions options;
  options.dispatch = dispatch;
  options.threads = threads;
  if (one.routing == PatchRouting::kOneExpert) {
    routes.assign(static_cast<size_t>(route_count(model, static_cast<int>(one.batch))), 0);
    options.replay_routes = routes;
    options.capacity_group = CapacityGroup::kNone;
  }
  const Result<Requirements> needed = requirements(model, options);
  convert::check(needed.status(), "arena");
  options.memory = arena.at_least(needed->arena_bytes);
  Result<Executor> made = Executor::create(model, options);
  convert::check(made.status(), "executor");
  return std::move(*made);
}

std::vector<float> run_case(Executor& executor, const PatchFamily& family, const PatchCase& one) {
  std::vector<float> logits(static_cast<size_t>(one.batch * kClasses));
  convert::check(executor.run(family.input(*one.part, one.batch), logits), one.name().c_str());
  return logits;
}

}  // namespace moefb::bench
