// Pieces of JSON output.
#pragma once

#include <string>
#include <string_view>

namespace moefb::apps {

/// `text` as a JSON string, quotes included, on one line; bytes that are not UTF-8 become U+FFFD.
std::string json_string(std::string_view text);

}  // namespace moefb::apps
