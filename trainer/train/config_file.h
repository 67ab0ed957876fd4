// TOML files and --set arguments as one JSON object.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace moefb::trainer {

/// @param sets  "key=value" or "table.key=value"; a value that is no TOML value is taken as a text, so that quotes may
/// be left out
/// @throws std::runtime_error that names the file and line, or the argument
nlohmann::json read_toml(const std::string& path, const std::vector<std::string>& sets);

}  // namespace moefb::trainer
