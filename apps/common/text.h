// Numbers, sizes and names as a person reads them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "moefb/model.h"
#include "moefb/tensor.h"

namespace moefb::apps {

/// printf into a string.
std::string format(const char* pattern, ...) __attribute__((format(printf, 1, 2)));

std::string with_commas(uint64_t number);              ///< "1,234,567"
std::string bytes_text(uint64_t bytes);                ///< "1,626,112 bytes (1.55 MiB)"
std::string short_number(float value);                 ///< the shortest text that reads back as `value`: "0.85"
std::string count_text(uint64_t n, const char* noun);  ///< "1 picture", "2 pictures"

std::string shape_text(std::span<const int64_t> dims);  ///< "(4, 3, 32, 32)"
std::string shape_text(const Shape& shape);             ///< the same

/// Control characters, which a file may hold and a terminal would obey, become '?'.
std::string printable(std::string_view text);

/// The name of a class as shown: "class 3" where the file has none.
std::string class_text(const Model& model, int index);

/// Columns that UTF-8 `text` takes on a terminal, at one column a code point.
size_t columns(std::string_view text);

}  // namespace moefb::apps
