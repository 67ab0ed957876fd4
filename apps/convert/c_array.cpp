#include "apps/convert/c_array.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <stdexcept>

#include "moefb/inspect.h"

namespace moefb::convert {
namespace {

// Words, not bytes: g++ takes a second for 2 MB of them, and five for as many bytes. (A string would be faster still,
// but C99 promises only 4095 characters.) Their order of bytes is the file's, which is little-endian as all of the
// runtime.
constexpr size_t kWordBytes = sizeof(uint64_t);
constexpr size_t kWordsPerLine = 6;

void check_identifier(const std::string& name) {
  const auto fits = [](char c) { return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto fits_inside = [&](char c) { return fits(c) || (c >= '0' && c <= '9'); };
  if (!name.empty() && fits(name[0]) && std::all_of(name.begin(), name.end(), fits_inside)) return;
  throw std::runtime_error("--c-array: \"" + name + "\" is no name in C: use letters, digits and _");
}

void append_hex(uint64_t word, std::string& text) {
  text += "0x";
  for (int shift = 60; shift >= 0; shift -= 4) text += "0123456789abcdef"[word >> shift & 15];
}

uint64_t word_at(std::span<const std::byte> file, size_t index) {
  const std::span<const std::byte> rest = file.subspan(index * kWordBytes);
  uint64_t word = 0;  // zeros behind the last byte
  std::memcpy(&word, rest.data(), std::min(rest.size(), kWordBytes));
  return word;
}

std::string head(const std::string& name, size_t bytes, size_t words) {
  const std::string array = "const uint64_t " + name + "[" + std::to_string(words) + "]";
  const std::string size = "const size_t " + name + "_size";
  return std::string("/* A model as data, made by moefb ") + version() +
         ". Declare in your program what is `extern` here, and load it in place:\n"
         " *\n"
         " *   moefb->model_load_memory(" +
         name + ", " + name +
         "_size, NULL, &model, &error);\n"
         " */\n"
         "#include <stddef.h>\n"
         "#include <stdint.h>\n"
         "\n"
         "extern " +
         array +
         ";\n"
         "extern " +
         size +
         ";\n"
         "\n" +
         size + " = " + std::to_string(bytes) + ";\n" + array + " __attribute__((aligned(64))) = {\n";
}

}  // namespace

std::string c_array(const std::string& name, std::span<const std::byte> file) {
  check_identifier(name);
  const size_t words = (file.size() + kWordBytes - 1) / kWordBytes;
  std::string text = head(name, file.size(), words);
  text.reserve(text.size() + words * 20);
  for (size_t i = 0; i < words; ++i) {
    append_hex(word_at(file, i), text);
    text += (i + 1) % kWordsPerLine == 0 || i + 1 == words ? ",\n" : ", ";
  }
  return text + "};\n";
}

}  // namespace moefb::convert
