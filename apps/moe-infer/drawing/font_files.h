// The files of font/ in memory. CMake writes the .cpp from them.
#pragma once

#include <span>

namespace moefb::drawing {

extern const std::span<const unsigned char> kRegularFont;
extern const std::span<const unsigned char> kMediumFont;

}  // namespace moefb::drawing
