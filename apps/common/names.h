// Option values by name, the same in every program.
#pragma once

#include <string>

#include "moefb/executor.h"
#include "moefb/model.h"

namespace moefb::apps {

/// @throws std::runtime_error that names the value found and those expected
Kernels kernels_from(const std::string& name);
Dispatch dispatch_from(const std::string& name);
CapacityGroup capacity_group_from(const std::string& name);
Backend backend_from(const std::string& name);

const char* name_of(Kernels kernels);
const char* name_of(CapacityGroup group);
const char* name_of(InputKind kind);  ///< "pictures", "features", "maps"
const char* name_of(Dtype dtype);     ///< as safetensors names it: "F32"

}  // namespace moefb::apps
