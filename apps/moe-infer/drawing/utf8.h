// UTF-8 to code points.
#pragma once

#include <cstdint>
#include <string_view>

namespace moefb::drawing {

inline constexpr uint32_t kNotUtf8 = 0xfffd;

/// Takes the first code point off `text`, which is not empty. Of what is not UTF-8, one byte goes and gives kNotUtf8.
uint32_t next_code_point(std::string_view& text);

}  // namespace moefb::drawing
