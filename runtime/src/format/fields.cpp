#include "format/fields.h"

#include "graph/shapes.h"

namespace moefb::format {
namespace {

/// Bytes of the UTF-8 character that starts `text`, 0 if there is none: Unicode 15, table 3-7, which rules out
/// overlong forms, surrogates and code points above U+10FFFF by the range of the second byte.
size_t utf8_length(std::span<const uint8_t> text) noexcept {
  const uint8_t lead = text[0];
  if (lead < 0x80) return 1;
  const size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return 0;
  const uint8_t low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const uint8_t high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (text[1] < low || text[1] > high) return 0;
  for (size_t i = 2; i < length; ++i) {
    if ((text[i] & 0xC0) != 0x80) return 0;
  }
  return length;
}

bool is_control(uint8_t byte) noexcept {
  return byte < 0x20 || byte == 0x7F;
}

}  // namespace

Status read_name(const flatbuffers::String* raw, std::string& out) noexcept {
  out.clear();
  if (raw == nullptr) return {};
  if (raw->size() > kMaxNameBytes) return corrupt("a name is too long").values(raw->size(), int64_t(kMaxNameBytes));
  const std::span<const uint8_t> text(raw->Data(), raw->size());
  for (size_t i = 0; i < text.size();) {
    const size_t length = utf8_length(text.subspan(i));
    if (length == 0) return corrupt("a name is not UTF-8");
    if (is_control(text[i])) return corrupt("a name has a control character");
    i += length;
  }
  out.assign(raw->c_str(), raw->size());
  return {};
}

Status read_shape(const flatbuffers::Vector<uint64_t>* raw, Shape& out) noexcept {
  const auto dims = read_elements(raw, Shape::kMaxRank, "a shape has more than 4 extents");
  if (!dims.ok()) return dims.status();
  if (dims->empty()) return corrupt("a shape is missing");
  out = Shape{};
  int64_t elements = 1;
  for (uint64_t dim : *dims) {
    if (dim < 1 || dim > uint64_t(graph::kMaxExtent)) {
      return corrupt("an extent of a shape is 0 or too large").values(int64_t(dim), graph::kMaxExtent);
    }
    if (int64_t(dim) > graph::kMaxElements / elements) return corrupt("a shape has too many elements");
    elements *= int64_t(dim);
    out.dims[out.rank++] = int64_t(dim);
  }
  return {};
}

}  // namespace moefb::format
