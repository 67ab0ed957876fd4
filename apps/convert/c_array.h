// A model as C source, to be compiled into a program and used in place from read-only memory.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace moefb::convert {

/// C99 that defines `const uint64_t NAME[]`, at a multiple of 64, and `const size_t NAME_size`, the bytes of the model.
/// @throws std::runtime_error if `name` is no C identifier
std::string c_array(const std::string& name, std::span<const std::byte> file);

}  // namespace moefb::convert
