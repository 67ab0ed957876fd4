// How many vectors as long as the parameters fit into the memory that the user grants.
#pragma once

#include <cstdint>

#include "trainer/analysis/hessian_options.h"
#include "trainer/analysis/parameter_vector.h"

namespace moefb::trainer {

/// `options` with fewer products, and a line that says so, where their vectors would not fit into memory_mib.
/// @throws std::runtime_error  too little even for the fewest useful products: names what is needed
HessianOptions within_memory(HessianOptions options, const ParameterVector& vector);

}  // namespace moefb::trainer
