// Files appear whole or not at all: written to a temporary name in the same folder, fsynced, renamed.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace moefb {

/// @throws std::runtime_error that names the file and the system's reason; the temporary file is removed then.
void write_file_atomically(const std::string& path, std::span<const std::byte> bytes);
void write_file_atomically(const std::string& path, std::string_view text);

/// @throws std::runtime_error that names the file and the system's reason.
std::vector<std::byte> read_file(const std::string& path);

}  // namespace moefb
