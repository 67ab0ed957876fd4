#include "converter/trainer_golden.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <vector>

#include "converter/safetensors.h"
#include "moefb/inspect.h"

namespace moefb::convert {
namespace {

constexpr int64_t kMaxBatch = 1024;

const safetensors::Tensor& find(const safetensors::File& file, const std::string& path, const std::string& name) {
  const auto found = file.tensors.find(name);
  if (found == file.tensors.end()) throw std::runtime_error(path + ": tensor \"" + name + "\" is missing");
  return found->second;
}

std::vector<float> read_floats(const safetensors::File& file, const std::string& path, const std::string& name,
                               const Extents& expected) {
  const safetensors::Tensor& tensor = find(file, path, name);
  if (tensor.shape != expected) {
    throw std::runtime_error(path + ": tensor \"" + name + "\" has shape " + to_string(tensor.shape) + ", expected " +
                             to_string(expected));
  }
  return tensor.to_f32();
}

/// Routes of all MoE layers that choose, layer after layer.
std::vector<int32_t> read_routes(const safetensors::File& file, const std::string& path, const Model& model,
                                 int batch) {
  std::vector<int32_t> routes;
  for (int i = 0; i < stage_count(model); ++i) {
    const StageInfo stage = stage_info(model, i);
    if (!stage.is_moe || stage.router.kind == "soft") continue;
    const bool head = stage.published_layer < 0;
    const std::string name = head ? "topk_idx" : "layer" + std::to_string(stage.published_layer) + ".assigned_expert";
    const std::vector<int64_t> layer = find(file, path, name).to_i64();
    const auto wrong = [&](int64_t e) { return e < -1 || e >= stage.router.experts; };
    if (static_cast<int64_t>(layer.size()) != batch * stage.router.tokens_per_image * stage.router.top_k ||
        std::any_of(layer.begin(), layer.end(), wrong)) {
      throw std::runtime_error(path + ": tensor \"" + name + "\" does not hold the routes of this model");
    }
    routes.insert(routes.end(), layer.begin(), layer.end());
  }
  return routes;
}

/// A number in the metadata; absent means that nothing competed.
template <typename T, typename Parse>
T read_metadata(const safetensors::File& file, const std::string& path, const std::string& key, Parse parse) {
  const auto found = file.metadata.find(key);
  if (found == file.metadata.end()) return 0;
  try {
    size_t used = 0;
    const T value = parse(found->second, &used);
    if (used == found->second.size() && std::isfinite(double(value))) return value;
  } catch (const std::logic_error&) {  // not a number, or out of range
  }
  throw std::runtime_error(path + ": metadata \"" + key + "\": expected a number, found \"" + found->second + "\"");
}

}  // namespace

GoldenData read_trainer_golden(const std::string& path, const Model& model) {
  const safetensors::File file = safetensors::read(path);
  GoldenData golden;
  const Extents& input = find(file, path, "input").shape;
  if (input.empty() || input[0] < 1 || input[0] > kMaxBatch) {
    throw std::runtime_error(path + ": tensor \"input\" has shape " + to_string(input) + ", expected a batch of 1 to " +
                             std::to_string(kMaxBatch));
  }
  golden.batch = static_cast<int>(input[0]);
  golden.input = read_floats(file, path, "input", with_batch(golden.batch, model.input_shape()));
  golden.logits = read_floats(file, path, "logits", {golden.batch, model.classes()});
  golden.routes = read_routes(file, path, model, golden.batch);
  golden.seed =
      read_metadata<uint64_t>(file, path, "seed", [](const std::string& s, size_t* n) { return std::stoull(s, n); });
  const auto to_float = [](const std::string& s, size_t* n) { return std::stof(s, n); };
  golden.top1_margin = read_metadata<float>(file, path, "top1_margin", to_float);
  golden.capacity_margin = read_metadata<float>(file, path, "capacity_margin", to_float);
  golden.from_trainer = true;
  return golden;
}

}  // namespace moefb::convert
