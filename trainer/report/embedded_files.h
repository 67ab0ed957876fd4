// Files of this folder that are built into the program.
#pragma once

#include <string_view>

namespace moefb::report {

extern const std::string_view kStyleSheet;     ///< page/style.css
extern const std::string_view kPublishedJson;  ///< published.json

}  // namespace moefb::report
