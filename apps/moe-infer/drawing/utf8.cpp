#include "apps/moe-infer/drawing/utf8.h"

namespace moefb::drawing {
namespace {

/// Bytes of a sequence that begins with `lead`; 0 if none does.
size_t sequence_bytes(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead < 0xe0) return 2;
  if (lead >= 0xe0 && lead < 0xf0) return 3;
  return lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
}

bool valid(uint32_t code, size_t bytes) {
  constexpr uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};  // a shorter sequence must not do
  return code >= kLeast[bytes] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
}

}  // namespace

uint32_t next_code_point(std::string_view& text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const size_t bytes = sequence_bytes(lead);
  uint32_t code = bytes < 2 ? lead : lead & (0xffu >> (bytes + 1));
  bool good = bytes > 0 && bytes <= text.size();
  for (size_t i = 1; good && i < bytes; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    good = (next & 0xc0) == 0x80;
    code = code << 6 | (next & 0x3f);
  }
  good = good && valid(code, bytes);
  text.remove_prefix(good ? bytes : 1);
  return good ? code : kNotUtf8;
}

}  // namespace moefb::drawing
