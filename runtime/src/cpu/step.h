// One op of a graph, or of an expert's body, with the values that it reads and writes.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "cpu/op.h"

namespace moefb::cpu {

struct Step {
  std::unique_ptr<Op> op;
  std::vector<int> inputs;  ///< values
  int output = 0;
  int nodes = 1;  ///< that it does: 2 with the sum behind it
};

/// The first implementation in `factories` that knows the op.
Result<std::unique_ptr<Op>> make_op(const OpSpec& spec, std::span<const OpFactory> factories) noexcept;

/// The same with its values; spec.sum, where there is one, is done along if some implementation can.
Result<Step> make_step(OpSpec spec, std::span<const OpFactory> factories) noexcept;

}  // namespace moefb::cpu
