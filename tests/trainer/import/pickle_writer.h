// Writes pickles as torch.save does, and as somebody would who means harm: a line of Python's pickletools a call.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace moefb::testing {

class PickleWriter {
 public:
  PickleWriter() { raw("\x80\x02"); }

  PickleWriter& raw(const std::string& bytes) {
    bytes_ += bytes;
    return *this;
  }
  PickleWriter& mark() { return raw("("); }
  PickleWriter& tuple() { return raw("t"); }  ///< from the mark
  PickleWriter& empty_tuple() { return raw(")"); }
  PickleWriter& dict() { return raw("}"); }
  PickleWriter& set_items() { return raw("u"); }  ///< from the mark
  PickleWriter& reduce() { return raw("R"); }
  PickleWriter& none() { return raw("N"); }
  PickleWriter& boolean(bool value) { return raw(value ? "\x88" : "\x89"); }
  PickleWriter& global(const std::string& module, const std::string& name) {
    return raw("c" + module + "\n" + name + "\n");
  }
  PickleWriter& text(const std::string& value) { return raw("X" + little_endian(value.size(), 4) + value); }
  PickleWriter& integer(int64_t value) { return raw("\x8a\x08" + little_endian(uint64_t(value), 8)); }
  PickleWriter& number(double value) {
    std::string bytes = little_endian(std::bit_cast<uint64_t>(value), 8);
    return raw("G" + std::string(bytes.rbegin(), bytes.rend()));
  }
  PickleWriter& integers(const std::vector<int64_t>& values) {
    mark();
    for (const int64_t value : values) integer(value);
    return tuple();
  }
  PickleWriter& ordered_dict() { return global("collections", "OrderedDict").empty_tuple().reduce(); }

  /// A tensor in storage "data/KEY".
  PickleWriter& tensor(const std::string& storage_type, const std::string& key, int64_t elements, int64_t offset,
                       const std::vector<int64_t>& shape, const std::vector<int64_t>& strides) {
    global("torch._utils", "_rebuild_tensor_v2").mark();
    mark().text("storage").global("torch", storage_type).text(key).text("cpu").integer(elements).tuple().raw("Q");
    integer(offset).integers(shape).integers(strides).boolean(false).ordered_dict();
    return tuple().reduce();
  }

  /// Ended, as bytes.
  std::vector<std::byte> done() { return unfinished(bytes_ + "."); }
  static std::vector<std::byte> unfinished(const std::string& text) {
    const auto bytes = std::as_bytes(std::span(text));
    return {bytes.begin(), bytes.end()};
  }

 private:
  static std::string little_endian(uint64_t value, int count) {
    std::string bytes;
    for (int i = 0; i < count; ++i) bytes += char(value >> (8 * i) & 0xff);
    return bytes;
  }

  std::string bytes_;
};

}  // namespace moefb::testing
