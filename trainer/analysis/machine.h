// What a measurement ran on.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace moefb::trainer {

/// Processor, cores that this process may use, instruction set, GPU (null: nothing of ours runs there), versions of
/// LibTorch, oneDNN and moefb.
nlohmann::ordered_json describe_machine();

/// The first GPU that NVIDIA's driver names, as JSON: null where there is none.
nlohmann::ordered_json gpu_model();

/// Cores that this process may use.
int usable_cores();

}  // namespace moefb::trainer
