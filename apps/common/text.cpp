#include "apps/common/text.h"

#include <charconv>
#include <cstdarg>
#include <cstdio>

namespace moefb::apps {

std::string format(const char* pattern, ...) {
  char buffer[512];
  va_list arguments;
  va_start(arguments, pattern);
  const int length = std::vsnprintf(buffer, sizeof buffer, pattern, arguments);
  va_end(arguments);
  if (length < 0) return {};
  if (size_t(length) < sizeof buffer) return std::string(buffer, size_t(length));
  std::string text(size_t(length), '\0');
  va_start(arguments, pattern);
  std::vsnprintf(text.data(), text.size() + 1, pattern, arguments);
  va_end(arguments);
  return text;
}

std::string with_commas(uint64_t number) {
  std::string text = std::to_string(number);
  for (size_t at = text.size(); at > 3;) text.insert(at -= 3, 1, ',');
  return text;
}

std::string bytes_text(uint64_t bytes) {
  static constexpr const char* kUnits[] = {"KiB", "MiB", "GiB", "TiB"};
  std::string text = with_commas(bytes) + " bytes";
  if (bytes < 1024) return text;
  double amount = double(bytes) / 1024;
  int unit = 0;
  for (; amount >= 1024 && unit < 3; ++unit) amount /= 1024;
  return text + format(" (%.2f %s)", amount, kUnits[unit]);
}

std::string short_number(float value) {
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value);
  return std::string(buffer, end.ptr);
}

std::string count_text(uint64_t n, const char* noun) {
  return with_commas(n) + ' ' + noun + (n == 1 ? "" : "s");
}

std::string shape_text(std::span<const int64_t> dims) {
  std::string text = "(";
  for (size_t i = 0; i < dims.size(); ++i) text += (i == 0 ? "" : ", ") + std::to_string(dims[i]);
  return text + ")";
}

std::string shape_text(const Shape& shape) {
  return shape_text({shape.dims, size_t(shape.rank)});
}

std::string printable(std::string_view text) {
  std::string safe(text);
  for (char& c : safe) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return safe;
}

std::string class_text(const Model& model, int index) {
  const std::string_view name = model.class_name(index);
  return name.empty() ? "class " + std::to_string(index) : std::string(name);
}

size_t columns(std::string_view text) {
  size_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  return count;
}

}  // namespace moefb::apps
