#include "trainer/report/page/csv.h"

#include <stdexcept>

namespace moefb::report {
namespace {

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + "\"";
}

}  // namespace

Csv::Csv(const std::vector<std::string>& header) : columns_(header.size()) {
  add(std::vector<CsvCell>(header.begin(), header.end()));
  rows_ = 0;
}

void Csv::add(std::initializer_list<CsvCell> cells) {
  add(std::vector<CsvCell>(cells));
}

void Csv::add(const std::vector<CsvCell>& cells) {
  if (cells.size() != columns_) {
    throw std::logic_error("a CSV row has " + std::to_string(cells.size()) + " cells, expected " +
                           std::to_string(columns_));
  }
  for (size_t i = 0; i < cells.size(); ++i) text_ += (i > 0 ? "," : "") + quoted(cells[i].text);
  text_ += "\n";
  ++rows_;
}

}  // namespace moefb::report
