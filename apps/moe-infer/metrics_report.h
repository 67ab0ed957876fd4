// Router metrics in their two forms on standard output.
#pragma once

#include <cstdint>
#include <string>

#include "moefb/metrics.h"
#include "moefb/model.h"

namespace moefb::infer {

/// A table of the layers, then all layers together under the published names; ends in a newline.
std::string metrics_text(const RouterMetrics& metrics, const Model& model, int64_t pictures);

/// {"pictures": ..., "metrics": {"drop_rate": ..., ...}, "layers": [{"layer": ..., "usage": [...], ...}]} on one line;
/// ends in a newline. A number that is not finite becomes null.
std::string metrics_json(const RouterMetrics& metrics, const Model& model, int64_t pictures);

}  // namespace moefb::infer
