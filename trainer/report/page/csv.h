// Tables of comma-separated values (RFC 4180, lines end with \n).
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "trainer/report/number_text.h"

namespace moefb::report {

/// A cell: text, or a number in full precision, empty where it is not finite.
struct CsvCell {
  std::string text;
  CsvCell(std::string value) : text(std::move(value)) {}
  CsvCell(const char* value) : text(value) {}
  CsvCell(double value) : text(exact(value)) {}
  CsvCell(int64_t value) : text(std::to_string(value)) {}
  CsvCell(size_t value) : text(std::to_string(value)) {}
};

class Csv {
 public:
  explicit Csv(const std::vector<std::string>& header);

  /// @throws std::logic_error unless there are as many cells as columns
  void add(std::initializer_list<CsvCell> cells);
  void add(const std::vector<CsvCell>& cells);

  const std::string& text() const { return text_; }
  size_t rows() const { return rows_; }  ///< without the header

 private:
  size_t columns_;
  size_t rows_ = 0;
  std::string text_;
};

}  // namespace moefb::report
