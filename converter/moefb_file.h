// Graph and segments to the bytes of a .moefb file (schema/container.h), and those bytes to a Model.
#pragma once

#include <cstddef>
#include <vector>

#include "converter/build_model.h"
#include "moefb/model.h"

namespace moefb::convert {

/// The whole file. Fills in the graph's segment table: weights first, golden vectors second if there are any.
std::vector<std::byte> to_file(BuiltModel& built);

/// @param file  must outlive the Model. @throws std::runtime_error with what Model::load says
Model load(const std::vector<std::byte>& file, Kernels kernels, int max_batch);

/// @throws std::runtime_error "WHAT: text of the status" unless it is fine
void check(const Status& status, const char* what);

}  // namespace moefb::convert
