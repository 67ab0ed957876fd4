// What a measurement ran on.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace moefb::trainer {

/// Processor, cores that this process may use, instruction set, GPU (null: there is none in this build), versions of
/// LibTorch, oneDNN and moefb.
nlohmann::ordered_json describe_machine();

/// Cores that this process may use.
int usable_cores();

}  // namespace moefb::trainer
