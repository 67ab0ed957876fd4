// JSON from files that nobody vouches for: what nlohmann's parser lets pass is refused here, once for every reader.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace moefb {

inline constexpr int kMaxJsonDepth = 32;

/// @param name       stands for the file in messages
/// @param max_depth  of objects and lists within one another: some of nlohmann's functions recurse
/// @throws std::runtime_error that starts with `name`: not JSON in UTF-8, not one object, a key that appears twice in
///         one object, nested too deeply
nlohmann::json parse_json_object(std::string_view text, const std::string& name, int max_depth = kMaxJsonDepth);

/// A value as a message shows it: its JSON, cut to a length that people read; "nan" and "inf" as such.
std::string shown(const nlohmann::json& value);

}  // namespace moefb
