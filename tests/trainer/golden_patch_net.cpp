// Patch networks: every stored intermediate and router metric, in both forms of dispatch.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "moefb/metrics.h"
#include "trainer/golden_checks.h"
#include "trainer/golden_compare.h"
#include "trainer/import/torch_file.h"
#include "trainer/models/patch_net.h"
#include "trainer/models/state_dict.h"

namespace moefb::golden {
namespace {

/// Compares every tensor of the fixture but its input and the router metrics.
void check_trace(const trainer::Trace& trace, const Tensors& io) {
  for (const auto& [name, expected] : io.all()) {
    if (name == "input" || name.starts_with("metric.")) continue;
    const auto found = trace.find(name);
    if (found == trace.end()) {
      ADD_FAILURE() << name << " was not computed";
    } else if (at::isIntegralType(expected.scalar_type(), /*includeBool=*/true)) {
      expect_equal(name, found->second, expected);
    } else {
      expect_close(name, found->second, expected, kPatchNetworkLimit, name.ends_with(".probs") ? 1.0 : 0.0);
    }
  }
}

template <typename T>
std::span<const T> elements(const at::Tensor& tensor) {
  return {tensor.const_data_ptr<T>(), size_t(tensor.numel())};
}

void add_layer(RouterMetrics& metrics, int layer, const trainer::Routing& routing) {
  const at::Tensor logits = routing.scaled_logits.contiguous(), expert = routing.expert.contiguous();
  const at::Tensor weight = routing.weight.contiguous();
  const RoutedBatch batch{elements<float>(logits), elements<int64_t>(expert), elements<float>(weight),
                          routing.capacity * routing.groups, routing.logits_std.item<double>()};
  ASSERT_TRUE(metrics.add(layer, batch).ok());
}

/// What the published aggregator says of this one batch, from how our routers sent it.
void check_metrics(const std::vector<trainer::LayerRouting>& layers, const Tensors& io) {
  std::vector<int> experts;
  for (const auto& layer : layers) experts.push_back(int(layer.routing.scaled_logits.size(1)));
  Result<RouterMetrics> metrics = RouterMetrics::create(experts);
  ASSERT_TRUE(metrics.ok());
  for (size_t i = 0; i < layers.size(); ++i) add_layer(*metrics, int(i), layers[i].routing);
  for (const NamedMetric& metric : metrics->summary()) {
    const std::string name = std::string("metric.") + metric.name;
    expect_close(name, at::scalar_tensor(metric.value, at::kDouble), io[name], kForwardLimit);
  }
}

/// The original's own container holds the same weights.
void check_lightning_checkpoint(const Fixture& fixture) {
  const std::string container = fixture.folder + "/last.ckpt";
  if (!std::filesystem::exists(container)) return;
  const trainer::LightningCheckpoint checkpoint = trainer::read_lightning_checkpoint(container);
  EXPECT_TRUE(checkpoint.epoch.has_value());
  const safetensors::File twin = safetensors::read(fixture.state_dict());
  ASSERT_EQ(checkpoint.weights.tensors.size(), twin.tensors.size());
  for (const auto& [name, tensor] : twin.tensors) {
    ASSERT_TRUE(checkpoint.weights.tensors.contains(name)) << name;
    const safetensors::Tensor& found = checkpoint.weights.tensors.at(name);
    EXPECT_EQ(found.dtype, tensor.dtype) << name;
    EXPECT_EQ(found.shape, tensor.shape) << name;
    EXPECT_TRUE(found.data == tensor.data) << name;
  }
}

}  // namespace

trainer::PatchNetConfig patch_config(const nlohmann::json& keys, const std::string& source) {
  trainer::Settings settings(keys, source);
  return trainer::read_patch_config(settings);
}

void check_patch_net(const Fixture& fixture) {
  const at::NoGradGuard no_grad;
  const Tensors io(fixture.io());
  for (const auto kind : {trainer::DispatchKind::kIndex, trainer::DispatchKind::kOnehot}) {
    SCOPED_TRACE(kind == trainer::DispatchKind::kIndex ? "dispatch index" : "dispatch onehot");
    trainer::PatchNet net(patch_config(fixture.config, fixture.name), kind);
    trainer::load_state_dict(net, safetensors::read(fixture.state_dict()), fixture.state_dict());
    net.train(fixture.config.at("mode") == "train");
    net.set_phase(routing_phase(fixture), {});
    const trainer::RouterDraws no_noise;
    trainer::Trace trace;
    const trainer::NetworkOutput out = net.forward(io["input"], &no_noise, &trace);
    check_trace(trace, io);
    check_metrics(out.routing, io);
  }
  check_lightning_checkpoint(fixture);
}

}  // namespace moefb::golden
