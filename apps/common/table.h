// Columns of text that line up.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace moefb::apps {

/// Rows of cells. Each column is as wide as its widest cell; two blanks stand between columns.
class Table {
 public:
  /// @param alignment  one letter per column: 'l' or 'r'
  /// @param indent     blanks before every row
  Table(std::string_view alignment, int indent) : alignment_(alignment), indent_(indent) {}

  /// Missing cells are empty; a cell beyond the columns is a mistake of ours.
  void add(std::vector<std::string> cells);

  /// All rows, each ended by a newline, without trailing blanks.
  std::string text() const;

 private:
  std::vector<size_t> widths() const;

  std::string alignment_;
  int indent_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace moefb::apps
