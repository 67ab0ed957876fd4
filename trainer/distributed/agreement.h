// What all processes must have alike before they train together.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "trainer/distributed/group.h"

namespace moefb::trainer {

/// Compares a fingerprint of `text` with those of the other processes.
/// @param what  "configuration", say
/// @throws std::runtime_error on every process, naming the first that differs from process 0
void check_same(const Group& group, const std::string& text, const std::string& what);

/// Overwrites weights and statistics with those of process 0.
void share_tensors(const Group& group, const std::vector<at::Tensor>& tensors);

}  // namespace moefb::trainer
