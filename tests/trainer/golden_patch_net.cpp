// Patch networks: every stored intermediate, in both forms of dispatch.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "trainer/golden_checks.h"
#include "trainer/golden_compare.h"
#include "trainer/models/patch_net.h"
#include "trainer/models/state_dict.h"

namespace moefb::golden {
namespace {

/// Compares every tensor of the fixture but its input and what metrics.h computes.
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
    net.forward(io["input"], &no_noise, &trace);
    check_trace(trace, io);
  }
}

}  // namespace moefb::golden
