#include "trainer/train/golden_vector.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <cmath>

#include "converter/safetensors.h"
#include "trainer/models/state_dict.h"
#include "trainer/train/route_margins.h"

namespace moefb::trainer {
namespace {

constexpr int64_t kBatch = 4;
constexpr int64_t kLargePicture = 64;  ///< side from which one picture has tokens and arithmetic enough
constexpr int kTries = 100;

void add_margin(safetensors::File& file, const char* key, double margin) {
  if (std::isfinite(margin)) file.metadata[key] = std::to_string(margin);
}

safetensors::File golden_file(const at::Tensor& input, const NetworkOutput& out, uint64_t seed,
                              const RouteMargins& margins) {
  safetensors::File file;
  file.tensors["input"] = from_torch(input);
  file.tensors["logits"] = from_torch(out.logits);
  if (out.head.topk_idx.defined()) file.tensors["topk_idx"] = from_torch(out.head.topk_idx);
  for (const LayerRouting& layer : out.routing) {
    file.tensors["layer" + std::to_string(layer.layer) + ".assigned_expert"] = from_torch(layer.routing.expert);
  }
  file.metadata["seed"] = std::to_string(seed);
  add_margin(file, "top1_margin", margins.top1);
  add_margin(file, "capacity_margin", margins.capacity);
  return file;
}

}  // namespace

std::string write_golden_vector(Network& network, const RunConfig& config, const std::string& path) {
  const at::NoGradGuard no_grad;
  network.module().eval();
  const int64_t side = image_side(config.model);
  const int64_t batch = side < kLargePicture ? kBatch : 1;
  for (int attempt = 0; attempt < kTries; ++attempt) {
    const uint64_t seed = config.train.seed + uint64_t(attempt);
    const at::Tensor input = at::randn({batch, 3, side, side}, at::detail::createCPUGenerator(seed));
    const NetworkOutput out = network.run(input);
    const RouteMargins margins = route_margins(out);
    if (!margins.hold()) continue;
    safetensors::write(path, golden_file(input, out, seed, margins));
    return "golden vector drawn from seed " + std::to_string(seed) + " written to " + path;
  }
  return "no golden vector: under none of " + std::to_string(kTries) + " seeds did every route have a clear lead";
}

}  // namespace moefb::trainer
