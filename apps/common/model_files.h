// Models and Executors as programs make them: failures are exceptions that name the file.
#pragma once

#include <string>

#include "moefb/executor.h"
#include "moefb/model.h"

namespace moefb::apps {

/// @throws std::runtime_error "FILE: corrupt file: ..."
Model load_model(const std::string& path, const LoadOptions& options);

/// @param path  the model's, for the message
/// @throws std::runtime_error "FILE: ..."
Executor make_executor(const Model& model, const ExecutorOptions& options, const std::string& path);

/// What the model takes, for messages: "features (512)", "pictures (3, 32, 32)".
std::string takes(const Model& model);

}  // namespace moefb::apps
