// Are all numbers of an array finite? Weights that are not would make every later comparison meaningless.
#pragma once

#include <cstddef>
#include <cstdint>

#include "moefb/tensor.h"

namespace moefb::format {

/// @param data  `count` numbers of `dtype`; integers are always finite
/// @return the index of the first infinity or NaN, -1 if there is none
int64_t first_not_finite(const std::byte* data, Dtype dtype, int64_t count) noexcept;

}  // namespace moefb::format
