#include "trainer/report/page/html.h"

#include <cstdint>

namespace moefb::report {
namespace {

constexpr const char* kReplacement = "\uFFFD";

/// Bytes of the UTF-8 character that `text` begins with; 0 where it begins with none, or an overlong one.
size_t character_bytes(std::string_view text, uint32_t& code) {
  const auto byte = [&](size_t i) { return uint32_t(uint8_t(text[i])); };
  const uint32_t lead = byte(0);
  code = lead;
  if (lead < 0x80) return 1;
  const size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < bytes) return 0;
  code = lead & (0xFFu >> (bytes + 1));
  for (size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
    code = code << 6 | (byte(i) & 0x3F);
  }
  static constexpr uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  return code >= kSmallest[bytes] ? bytes : 0;
}

/// The characters of XML 1.0, section 2.2.
bool allowed(uint32_t code) {
  if (code < 0x20) return code == '\t' || code == '\n' || code == '\r';
  return code <= 0xD7FF || (code >= 0xE000 && code <= 0xFFFD) || (code >= 0x10000 && code <= 0x10FFFF);
}

const char* entity(char c) {
  switch (c) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    case '\'':
      return "&#39;";
    default:
      return nullptr;
  }
}

}  // namespace

std::string escape(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    uint32_t code = 0;
    const size_t bytes = character_bytes(text, code);
    const char* name = entity(text[0]);
    if (bytes == 0 || !allowed(code)) {
      out += kReplacement;
    } else if (name != nullptr) {
      out += name;
    } else {
      out += text.substr(0, bytes);
    }
    text.remove_prefix(bytes == 0 ? 1 : bytes);
  }
  return out;
}

std::string element(std::string_view name, std::string_view css, std::string_view content) {
  std::string out = "<" + std::string(name);
  if (!css.empty()) out += " class=\"" + std::string(css) + "\"";
  return out + ">" + std::string(content) + "</" + std::string(name) + ">";
}

}  // namespace moefb::report
