// Text for HTML that is XML too: whatever a run folder says shows as itself.
#pragma once

#include <string>
#include <string_view>

namespace moefb::report {

/// Replaces & < > " ' by entities, bytes that are not UTF-8 and characters that XML forbids by U+FFFD.
std::string escape(std::string_view text);

/// `<name class="css">content</name>`; `content` is HTML already. No class attribute where `css` is empty.
std::string element(std::string_view name, std::string_view css, std::string_view content);

}  // namespace moefb::report
