#include "trainer/report/page/csv.h"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

namespace moefb::report {
namespace {

/// Reads RFC 4180 back, strictly enough for what Csv writes.
std::vector<std::vector<std::string>> parsed(const std::string& text) {
  std::vector<std::vector<std::string>> rows;
  std::vector<std::string> row(1);
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted && c == '"' && i + 1 < text.size() && text[i + 1] == '"') {
      row.back() += text[++i];
    } else if (c == '"') {
      quoted = !quoted;
    } else if (!quoted && c == ',') {
      row.emplace_back();
    } else if (!quoted && c == '\n') {
      rows.push_back(row);
      row.assign(1, "");
    } else {
      row.back() += c;
    }
  }
  return rows;
}

TEST(Csv, ComesBackAsItWas) {
  const std::vector<std::vector<std::string>> rows = {
      {"plain", "with, comma"}, {"with \"quotes\"", "two\nlines"}, {"", "\"\""}, {"a\r\nb", " blanks "}};
  Csv csv({"first", "second, with comma"});
  for (const auto& row : rows) csv.add({row[0], row[1]});
  const auto read = parsed(csv.text());
  ASSERT_EQ(read.size(), rows.size() + 1);
  EXPECT_EQ(read[0], (std::vector<std::string>{"first", "second, with comma"}));
  for (size_t i = 0; i < rows.size(); ++i) EXPECT_EQ(read[i + 1], rows[i]);
  EXPECT_EQ(csv.rows(), rows.size());
}

TEST(Csv, NumbersComeBackToTheBit) {
  const std::vector<double> numbers = {0.1, 1.0 / 3, -1e-300, 12345678.9, 0, 91.93};
  Csv csv({"x"});
  for (const double number : numbers) csv.add({number});
  const auto read = parsed(csv.text());
  for (size_t i = 0; i < numbers.size(); ++i) EXPECT_EQ(std::stod(read[i + 1][0]), numbers[i]);
}

TEST(Csv, LeavesACellEmptyForWhatIsNoNumber) {
  Csv csv({"x", "y"});
  csv.add({std::nan(""), INFINITY});
  EXPECT_EQ(csv.text(), "x,y\n,\n");
}

TEST(Csv, RefusesARowOfAnotherLength) {
  Csv csv({"x", "y"});
  EXPECT_THROW(csv.add({1.0}), std::logic_error);
}

}  // namespace
}  // namespace moefb::report
