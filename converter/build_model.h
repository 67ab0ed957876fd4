// Configuration and weights to the graph of a .moefb file and its bulk data. Writes and runs nothing.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "converter/config.h"
#include "converter/state_dict.h"
#include "converter/weight_segment.h"
#include "schema/moefb_generated.h"

namespace moefb::convert {

/// A file but for its frame: the segments that the graph's tensors point into, in order.
struct BuiltModel {
  std::unique_ptr<fb::ModelT> graph;
  std::vector<AlignedBytes> segments;
};

/// @param weights  used up
/// @throws std::runtime_error that names the key or tensor, what was found and what was expected
BuiltModel build_model(const Config& config, StateDict& weights, WeightDtype dtype);

}  // namespace moefb::convert
